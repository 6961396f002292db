"""What the score network is shown: candidates for the mean of a waveform, and what no turn of its phase changes."""

import math

import torch
from torch import nn

from doamc.waveforms.experts import COUNT, agreed, corners_of, level_of, lines_of, opinions
from doamc.waveforms.layers import pairs, squash, times
from doamc.waveforms.lines import find_line, unit
from doamc.waveforms.spectral import SpectralFilter

OPINIONS = 2 * COUNT + 1
CANDIDATES = OPINIONS + 5
FEATURES = 2 * CANDIDATES + OPINIONS + 2 + 4 + 2
SCALARS = 6 + OPINIONS + 9


class Look(nn.Module):
    """The only weights are those of the adaptive filter; experts look at x and at x through the filter.

    The latter shows phase shift keying under pulses of several samples, and `clock` its symbols.
    """

    def __init__(self) -> None:
        super().__init__()
        self.filter = SpectralFilter(2)

    def forward(
        self,
        x: torch.Tensor,  # shape: (M, T), complex
        sigma: torch.Tensor,  # shape: (M, 1)
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Channels (M, FEATURES, T), candidates (M, 2 CANDIDATES, T), phases (M, 2, T), scalars (M, SCALARS).

        Candidates, pairs of real channels, are in units of what the Wiener filter leaves, seen from its mean.
        """
        t, variance = x.shape[1], sigma.square()
        level = level_of(x, variance)
        filtered, passed = self.filter(x, variance)
        clean, passed = filtered[:, 0], passed[:, :1]
        if self.training:  # a cheaper step: the filter learns as a candidate
            clean, passed = clean.detach(), passed.detach()
        lines, corners, inner = lines_of(x), corners_of(x), lines_of(clean)
        tone = find_line(x)
        energy = clean.real.square() + clean.imag.square()
        clock = find_line(energy - energy.mean(1, keepdim=True), one_sided=True)
        rows = [
            *opinions(x, level, variance, lines, corners),
            *opinions(clean, level, variance * passed.clamp_min(1e-3), inner),
        ]
        evidence = torch.stack([value for _, value in rows], 1)
        means = torch.stack([mean for mean, _ in rows], 1)
        together = agreed(means[:, : COUNT + 1], evidence[:, : COUNT + 1], x / (1 + variance))
        means = torch.cat([means, together[:, None], tone.wave[:, None], filtered], 1)
        candidates, size = _candidates(x, sigma, means)
        reference = pairs((clean.conj() * torch.rsqrt(energy + 0.01))[:, None])
        steps = [nn.functional.pad(unit(clean[:, k:] * clean[:, :-k].conj()), (k, 0)) for k in (1, 2) if k < t]
        steps += [torch.zeros_like(x)] * (2 - len(steps))
        ticks = clock.wave / energy.mean(1, keepdim=True).clamp_min(1e-6)
        seen = [
            times(candidates, reference),
            torch.asinh(evidence),
            torch.stack([size, clean.abs()], 1),
            pairs(torch.stack([*steps, ticks], 1)),
        ]
        rate = unit((clock.wave[:, 1:] * clock.wave[:, :-1].conj()).sum(1, keepdim=True))
        strengths = torch.stack([line.strength for line in (*lines, corners, *inner, tone, clock)], 1)
        scalars = [
            sigma.log() / 2,
            torch.full_like(sigma, math.log(t / 64)),
            level - 1,
            passed.log() / 4,
            rate.real,
            rate.imag,
            torch.asinh(evidence.clamp(-8, 8).sum(2)) / 2,
            torch.asinh(t * strengths) / 4,
        ]
        return torch.cat(seen, 1), candidates, reference, torch.cat(scalars, 1)


def _candidates(x: torch.Tensor, sigma: torch.Tensor, means: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Candidates (M, 2 CANDIDATES, T): means (M, CANDIDATES - 1, T) as offsets, and x itself; and |x| at unit power."""
    skip = 1 / (1 + sigma.square())
    offsets = squash(pairs((means - (skip * x)[:, None]) / (sigma * skip.sqrt())[..., None]))
    received = x * skip.sqrt()
    real, imaginary = offsets.chunk(2, 1)
    both = torch.cat([real, received.real[:, None], imaginary, received.imag[:, None]], 1)
    return both, received.abs()
