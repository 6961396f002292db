"""Beam alignment: what a pair of beams loses against the best pair for the true channel.

An aligner points its combiner w and beamformer f, of unit norm and the same on all subcarriers, by the channel that it
believes in; the gain is sum_s |w^H H^s f|^2. With a single path the best pair is u = C_R a_R and v = C_T a_T, and one
that takes C = I loses, at each end,

    loss = -10 log10 ( |a^H C a|^2 / (|a|^2 |C a|^2) ).

With C = I + k E and E a = m a + r, r orthogonal to a, that is 10 log10(1 + k^2 |r|^2 / (|1 + k m|^2 |a|^2)): zero
without coupling, and growing with its strength k as long as k |m| < 1.
"""

import torch


def beam_gain(
    channel: torch.Tensor,  # shape: (B, S, N_R, N_T)
    combiner: torch.Tensor,  # shape: (B, N_R)
    beamformer: torch.Tensor,  # shape: (B, N_T)
) -> torch.Tensor:
    """Gain sum_s |w^H H^s f|^2 of beams of unit norm, (B,)."""
    return torch.einsum("bi,bsij,bj->bs", combiner.conj(), channel, beamformer).abs().square().sum(1)


def best_beams(
    channel: torch.Tensor,  # shape: (B, S, N_R, N_T)
    start: torch.Tensor | None = None,  # shape: (B, N_T), a beamformer
    iterations: int = 60,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Beams w (B, N_R) and f (B, N_T) of unit norm with the largest gain, by alternation; the gain never falls.

    For one subcarrier they are the leading singular vectors. Starts are the leading right singular vectors of every
    H^s and of all of them stacked, and `start`; the highest end wins.
    """
    starts = [torch.linalg.svd(channel.flatten(1, 2), full_matrices=False)[2][:, :1].conj()]
    starts += [torch.linalg.svd(channel, full_matrices=False)[2][:, :, 0].conj()] if channel.shape[1] > 1 else []
    starts += [start[:, None]] if start is not None else []
    f = torch.cat(starts, 1)
    gain = torch.zeros(f.shape[:2], dtype=torch.float64)
    for _ in range(iterations):
        w = torch.linalg.svd(torch.einsum("bsij,bkj->bkis", channel, f), full_matrices=False)[0][..., 0]
        left, size, _ = torch.linalg.svd(torch.einsum("bsij,bki->bkjs", channel.conj(), w), full_matrices=False)
        f, last, gain = left[..., 0], gain, size[..., 0].square()
        if bool((gain - last <= 1e-13 * gain).all()):
            break
    best, item = gain.argmax(1), torch.arange(len(f))
    return w[item, best], f[item, best]


def alignment_loss_db(
    channel: torch.Tensor,  # shape: (B, S, N_R, N_T), the true one
    combiner: torch.Tensor,  # shape: (B, N_R), unit norm
    beamformer: torch.Tensor,  # shape: (B, N_T), unit norm
) -> torch.Tensor:
    """Loss (B,) in dB, >= 0, against the best beams for the channel, sought from the beams in question too."""
    best = beam_gain(channel, *best_beams(channel, beamformer))
    gain = beam_gain(channel, combiner, beamformer)
    return 10 * torch.log10(torch.maximum(best, gain) / gain)
