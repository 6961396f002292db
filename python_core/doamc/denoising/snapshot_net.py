"""The unconditional per-snapshot eps-net of [Luo-Fung]: eps_theta(x_t, t), eq. (27).

It knows what clean snapshots of *some* scene look like, but not which scene: one snapshot does not tell.

    eps_theta = sigma x_t + alpha F(alpha x_t, log-SNR),     so that     x0_hat = alpha x_t - sigma F

alpha x_t is the mean of white x0 of unit power, and F what the network adds to it. Where noise hides the signal, the
division by alpha in eq. (30) would make a large error of x0_hat out of a small one of eps: with these factors neither
x0_hat nor its Jacobian is ever worse than F, and F hears less the more noise there is.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import nn

from doamc.diffusion.parametrisation import NetworkDenoiser
from doamc.errors import CheckpointError
from doamc.learning.checkpoint import Checkpoint, shipped_weights, training_command
from doamc.learning.layers import LayerNorm, Linear
from doamc.scenes.observe import receive
from doamc.scenes.prior import draw_scene
from doamc.spec import ArraySpec
from doamc.text import shown


@dataclass(frozen=True)
class SnapshotNetConfig:
    """Hyper-parameters: width and number of residual blocks; form, of the formula above.

    form: 2. Checkpoints without it (eps = sigma x_t + F(x_t)) are refused.
    """

    form: int
    width: int = 384
    blocks: int = 3

    def as_dict(self) -> dict[str, int]:
        """What a checkpoint records."""
        return asdict(self)


#: of the networks that are made now
FORM = 2
#: log-SNRs that the network is trained at, and those that half of the draws come from, where shape counts
TRAINED, DENSE = (-12.0, 12.0), (-3.0, 6.0)


class SnapshotNet(nn.Module):
    """Residual network on the real and imaginary parts of one snapshot, with the log-SNR as sines and cosines."""

    frequency: torch.Tensor

    def __init__(self, spec: ArraySpec, config: SnapshotNetConfig | None = None) -> None:
        super().__init__()
        self.spec, self.config = spec, config or SnapshotNetConfig(FORM)
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
        x_t: torch.Tensor,  # shape: (M, N), complex, alpha x0 + sigma eps, alpha^2 + sigma^2 = 1, x0 of unit mean power
        log_snr: torch.Tensor,  # shape: (M,) or (1,)
    ) -> torch.Tensor:
        """Predicted noise eps, (M, N) complex."""
        angle = log_snr[:, None] * self.frequency
        shift = self.time(torch.cat([angle.sin(), angle.cos()], 1)).chunk(self.config.blocks, 1)
        alpha, sigma = torch.sigmoid(log_snr).sqrt()[:, None], torch.sigmoid(-log_snr).sqrt()[:, None]
        h = self.first(torch.view_as_real(alpha * x_t).flatten(1))
        for block, move in zip(self.blocks, shift, strict=True):
            h = h + block(h + move)
        added = torch.view_as_complex(self.last(h).unflatten(1, (-1, 2)).contiguous())
        return sigma * x_t + alpha * added


def open_snapshot_denoiser(kept: Checkpoint, spec: ArraySpec) -> NetworkDenoiser:
    """Mean of x0 given x_t by the network of a checkpoint. Raises CheckpointError where the weights do not fit."""

    def make(config: dict[str, int]) -> SnapshotNet:
        if config.get("form") != FORM:
            raise CheckpointError(
                f"expected a snapshot net of form {FORM}, found {shown(config.get('form', 1))}, of an earlier version; "
                f"train it again: {training_command('snapshot', spec, shipped_weights('snapshot', spec.name))}"
            )
        return SnapshotNet(spec, SnapshotNetConfig(**config))

    return NetworkDenoiser(kept.network(make), "eps", TRAINED, torch.complex64)


def clean_snapshots(spec: ArraySpec, count: int, n_sources: int, seed: int) -> torch.Tensor:
    """Clean snapshots x0 (count, N), one from each of as many scenes, each scene scaled to unit mean power.

    A receiver's gain is arbitrary, so the net must not know absolute powers.
    """
    generator = torch.Generator().manual_seed(seed)
    scene = draw_scene(spec, count, n_sources, 0.0, generator)
    power = scene.signal_covariance.diagonal(dim1=1, dim2=2).real.mean(1)
    return receive(scene, 1, generator=generator).clean[..., 0] / power.sqrt()[:, None]


#: (how many, seed) -> clean snapshots of about unit mean power
Draw = Callable[[int, int], torch.Tensor]


def prior_snapshots(spec: ArraySpec) -> Draw:
    """Clean snapshots of every number of sources of a specification, as many of each."""
    low, high = spec.source_count

    def draw(count: int, seed: int) -> torch.Tensor:
        share = -(-count // (high - low + 1))
        return torch.cat([clean_snapshots(spec, share, p, 8 * seed + p) for p in range(low, high + 1)])

    return draw


class SnapshotTask:
    """[Ho-Jain-Abbeel] algorithm 1: draw x0, eps, t and descend ||eps - eps_theta(x_t, t)||^2 / alpha^2.

    The weight makes that the error of F, so that every noise level counts alike. draw: where clean snapshots come from,
    by default the prior of the specification; what it gives for seeds below 1000 is for validation.
    """

    kind = "snapshot"

    def __init__(
        self, spec: ArraySpec, seed: int = 0, device: str = "cpu", batch: int = 512, draw: Draw | None = None
    ) -> None:
        self.spec, self.seed, self.device, self.batch = spec, seed, device, batch
        torch.manual_seed(seed)
        self.net = SnapshotNet(spec).to(device)
        self.config = self.net.config.as_dict()
        self.draw = draw or prior_snapshots(spec)

    def _loss(self, seed: int) -> torch.Tensor:
        x0 = self.draw(self.batch, seed).to(torch.complex64)
        generator = torch.Generator().manual_seed(seed)
        place = torch.rand(len(x0), generator=generator, dtype=torch.float32)
        (low, high), (first, last) = TRAINED, DENSE
        dense = torch.rand(len(x0), generator=generator, dtype=torch.float32) < 0.5
        log_snr = torch.where(dense, first + (last - first) * place, low + (high - low) * place)
        alpha, sigma = torch.sigmoid(log_snr).sqrt()[:, None], torch.sigmoid(-log_snr).sqrt()[:, None]
        eps = torch.randn(*x0.shape, dtype=torch.complex64, generator=generator)
        found = self.net((alpha * x0 + sigma * eps).to(self.device), log_snr.to(self.device))
        return ((found - eps.to(self.device)) / alpha.to(self.device)).abs().square().mean()

    def loss(self, step: int) -> torch.Tensor:
        """Loss of one step on fresh snapshots."""
        return self._loss(1_000_003 * (self.seed + 1) + step)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Loss on snapshots that training never sees."""
        return {"validation": float(torch.stack([self._loss(1 + k) for k in range(8)]).mean())}
