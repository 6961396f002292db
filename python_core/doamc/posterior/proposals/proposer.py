"""Proposals: deterministic DDIM from seeded noise through the score network, conditioned on the features."""

import torch

from doamc.diffusion import Grid, VPSchedule, log_snr_grid
from doamc.diffusion.samplers.base import sample
from doamc.diffusion.samplers.ddim import Ddim
from doamc.posterior.proposals.network import ScoreNet
from doamc.posterior.sampling.random_tables import balanced

LOG_SNR = (-7.0, 9.0)  #: range of lambda, natural logarithm, that the steps cover


class Proposer:
    """Draws scenes' states from the network; the noise table is drawn once, so items are independent of their batch."""

    def __init__(self, net: ScoreNet, samples: int, steps: int, seed: int) -> None:
        self.net = net
        device = next(net.parameters()).device
        generator = torch.Generator().manual_seed(seed)
        table = torch.randn(samples, net.config.state, generator=generator, dtype=torch.float32)
        self.noise = balanced(table)[None].to(device)
        schedule = VPSchedule()
        whole = log_snr_grid(schedule, steps, *LOG_SNR)
        # the last state is never asked for: what is returned is the mean one point before
        self.grid = Grid(whole.t[:-1], whole.alpha[:-1], whole.sigma[:-1], schedule)
        self.sampler, self.place = Ddim(), {alpha: i for i, alpha in enumerate(self.grid.alpha)}
        with torch.no_grad():
            times = torch.tensor(self.grid.t, dtype=torch.float64)
            self.clocks = net.clock(schedule.log_snr(times).float().to(device))[None]

    @torch.no_grad()
    def __call__(
        self,
        features: torch.Tensor,  # shape: (B, F)
        mask: torch.Tensor,  # shape: (B, D)
    ) -> torch.Tensor:
        """States z (B, S, D) float32."""
        modulation = self.net.modulation(self.net.encode(features)[:, None], self.clocks)  # each (B, steps, W)
        each = list(zip(*(m.split(1, 1) for m in modulation), strict=True))

        def denoiser(z: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
            return torch.sub(z * alpha, self.net.head(z, list(each[self.place[alpha]])), alpha=sigma)

        start = self.noise * mask[:, None]
        return sample(denoiser, self.sampler, self.grid, start=start, end="mean") * mask[:, None]
