"""The unconditional per-snapshot eps-net of [Luo-Fung]: eps_theta(x_t, t), eq. (27).

It knows what clean snapshots of *some* scene look like, but not which scene: one snapshot does not tell. It is kept
for comparison; the batch-conditioned net of ``batch_net`` is the one that denoises.
"""

from dataclasses import asdict, dataclass

import torch
from torch import nn

from doamc.diffusion.schedule import VPSchedule
from doamc.learning.layers import LayerNorm, Linear
from doamc.scenes.observe import receive
from doamc.scenes.prior import draw_scene
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class SnapshotNetConfig:
    """Hyper-parameters: width and number of residual blocks."""

    width: int = 384
    blocks: int = 3

    def as_dict(self) -> dict[str, int]:
        """What a checkpoint records."""
        return asdict(self)


class SnapshotNet(nn.Module):
    """Residual network on the real and imaginary parts of one snapshot, with the log-SNR as sines and cosines."""

    frequency: torch.Tensor

    def __init__(self, spec: ArraySpec, config: SnapshotNetConfig | None = None) -> None:
        super().__init__()
        self.spec, self.config = spec, config or SnapshotNetConfig()
        config = self.config
        n, width = spec.n_elements, config.width
        self.register_buffer("frequency", 2.0 ** torch.arange(-4, 2).float(), persistent=False)
        self.first, self.time = Linear(2 * n, width), Linear(12, width * config.blocks)
        self.blocks = nn.ModuleList(
            nn.Sequential(LayerNorm(width), Linear(width, width), nn.SiLU(), Linear(width, width))
            for _ in range(config.blocks)
        )
        self.last = Linear(width, 2 * n)

    def forward(
        self,
        x_t: torch.Tensor,  # shape: (M, N), complex, noisy snapshots of unit mean signal power
        log_snr: torch.Tensor,  # shape: (M,) or (1,)
    ) -> torch.Tensor:
        """Predicted noise eps, (M, N) complex."""
        angle = log_snr[:, None] * self.frequency
        shift = self.time(torch.cat([angle.sin(), angle.cos()], 1)).chunk(self.config.blocks, 1)
        h = self.first(torch.view_as_real(x_t).flatten(1))
        for block, move in zip(self.blocks, shift, strict=True):
            h = h + block(h + move)
        # at high noise eps is x_t itself, at low noise the network's correction counts
        eps = torch.view_as_complex(self.last(h).unflatten(1, (-1, 2)).contiguous())
        return eps + torch.sqrt(torch.sigmoid(-log_snr))[:, None] * x_t


def clean_snapshots(spec: ArraySpec, count: int, n_sources: int, seed: int) -> torch.Tensor:
    """Clean snapshots x0 (count, N), one from each of as many scenes, each scene scaled to unit mean power.

    A receiver's gain is arbitrary, so the net must not know absolute powers.
    """
    generator = torch.Generator().manual_seed(seed)
    scene = draw_scene(spec, count, n_sources, 0.0, generator)
    power = scene.signal_covariance.diagonal(dim1=1, dim2=2).real.mean(1)
    return receive(scene, 1, generator=generator).clean[..., 0] / power.sqrt()[:, None]


class SnapshotTask:
    """[Ho-Jain-Abbeel] algorithm 1: draw x0, eps, t and descend ||eps - eps_theta(x_t, t)||^2."""

    kind = "snapshot"

    def __init__(self, spec: ArraySpec, seed: int = 0, device: str = "cpu", batch: int = 512) -> None:
        self.spec, self.seed, self.device, self.batch = spec, seed, device, batch
        torch.manual_seed(seed)
        self.net = SnapshotNet(spec).to(device)
        self.config = self.net.config.as_dict()
        self.schedule = VPSchedule()

    def _loss(self, seed: int) -> torch.Tensor:
        low, high = self.spec.source_count
        share = -(-self.batch // (high - low + 1))
        x0 = torch.cat([clean_snapshots(self.spec, share, p, 8 * seed + p) for p in range(low, high + 1)])
        x0 = x0.to(torch.complex64)
        generator = torch.Generator().manual_seed(seed)
        t = torch.rand(len(x0), generator=generator, dtype=torch.float32)
        eps = torch.randn(*x0.shape, dtype=torch.complex64, generator=generator)
        x_t = self.schedule.alpha(t)[:, None] * x0 + self.schedule.sigma(t)[:, None] * eps
        log_snr = self.schedule.log_snr(t).clamp_max(15.0)
        found = self.net(x_t.to(self.device), log_snr.to(self.device))
        return (found - eps.to(self.device)).abs().square().mean()

    def loss(self, step: int) -> torch.Tensor:
        """Loss of one step on fresh snapshots."""
        return self._loss(1_000_003 * (self.seed + 1) + step)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Loss on snapshots that training never sees."""
        return {"validation": float(torch.stack([self._loss(1 + k) for k in range(8)]).mean())}
