"""Draws along a ridge of the posterior: places spread evenly over it, normal draws across, weighted by importance."""

import math

import torch

from doamc.likelihood.density import ExactPosterior
from doamc.posterior.proposals.mode_draws import ModeStarts, effective_share, relative
from doamc.posterior.proposals.ridge import STEP, follow, frame_at, onto_ridge, widths
from doamc.posterior.sampling.resampling import even_comb, gather, systematic

DRAWS = 768  #: of which the starts of the chains are taken
CORRECTIONS = 3  #: scoring steps from a chord of the ridge onto it
WIDER = 1.2  #: times wider across the ridge than the normal approximation
LEAST_FIT = 0.02  #: effective share of the draws, below which they are no sample of the posterior
LOCAL = 0.25  #: of a step of the ridge: as far as chains go along it at once


class RidgeSampler:
    """Starts of chains along ridges; the random tables are drawn once, from the seed."""

    def __init__(self, chains: int, size: int, seed: int, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(seed)
        shift = torch.rand(DRAWS, generator=generator, dtype=torch.float64)
        self.place = ((torch.arange(DRAWS) + shift) / DRAWS).to(device)
        self.normal = torch.randn(DRAWS, size - 1, generator=generator, dtype=torch.float64).to(device)
        self.comb = even_comb(chains, device)

    def __call__(self, posterior: ExactPosterior, x: torch.Tensor) -> tuple[ModeStarts, torch.Tensor]:
        """Starts for every chain along the ridge through points (B, d), and the effective share of the draws, (B,)."""
        width, d = widths(posterior.coordinates)[:, None], x.shape[1]
        ridge = follow(posterior, x)
        weight = ridge.intervals.double()
        total = weight.cumsum(1)
        place = (self.place * total[:, -1:]).contiguous()
        index = torch.searchsorted(total.contiguous(), place, right=True).clamp_max(weight.shape[1] - 1)
        first, last = gather(ridge.points, index), gather(ridge.points, index + 1)
        part = place - (total - weight).gather(1, index)
        on = onto_ridge(posterior, (first + part[:, None] * (last - first)).contiguous(), CORRECTIONS)
        frame = frame_at(posterior, on)
        scale = frame.information.rsqrt()
        z = self.normal[:, : d - 1].expand(len(x), -1, -1)
        away = (frame.directions[..., 1:] @ (WIDER * scale[..., 1:] * z)[..., None])[..., 0]
        drawn = posterior.coordinates.wrap((on + width * away.transpose(1, 2)).contiguous())
        value = posterior(drawn)
        length = ((last - first) / width).square().sum(1).sqrt()
        log_weight = value + 0.5 * z.square().sum(2) + scale[..., 1:].log().sum(2) + length.log()
        log_weight = log_weight.masked_fill(total[:, -1:] == 0, -math.inf)
        chosen = systematic(torch.softmax(relative(log_weight), 1), self.comb)
        scale[..., 0] = scale[..., 0].clamp_max(LOCAL * STEP)
        root = width * frame.directions * scale[..., None, :]
        root = root.gather(1, chosen[..., None, None].expand(-1, -1, d, d))
        factors = torch.linalg.qr(root.flip(2).mT)[1].mT.flip(2, 3)  # upper triangular, of root root^T
        starts = ModeStarts(gather(drawn, chosen), value.gather(1, chosen), factors)
        return starts, torch.where(value.isfinite().any(1), effective_share(log_weight), 0.0)
