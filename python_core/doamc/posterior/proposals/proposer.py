"""Proposals: deterministic DDIM from seeded noise through the score network, conditioned on the features."""

import torch

from doamc.diffusion import Grid, VPSchedule, ddim_step, log_snr_grid
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
        self.grid: Grid = log_snr_grid(schedule, steps, *LOG_SNR)
        with torch.no_grad():
            times = torch.tensor(self.grid.t, dtype=torch.float64)
            self.clocks = net.clock(schedule.log_snr(times[:-1]).float().to(device))[None]

    @torch.no_grad()
    def __call__(
        self,
        features: torch.Tensor,  # shape: (B, F)
        mask: torch.Tensor,  # shape: (B, D)
    ) -> torch.Tensor:
        """States z (B, S, D) float32."""
        grid, steps = self.grid, len(self.grid)
        modulation = self.net.modulation(self.net.encode(features)[:, None], self.clocks)  # each (B, steps, W)
        each = list(zip(*(m.split(1, 1) for m in modulation), strict=True))
        z = self.noise * mask[:, None]
        clean = z
        for i in range(steps):
            v = self.net.head(z, list(each[i]))
            clean = torch.sub(z * grid.alpha[i], v, alpha=grid.sigma[i])
            z = ddim_step(z, clean, (grid.alpha[i], grid.alpha[i + 1]), (grid.sigma[i], grid.sigma[i + 1]))
        return clean * mask[:, None]
