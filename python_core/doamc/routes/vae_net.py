"""A variational autoencoder of single clean snapshots x0: the rival of the per-snapshot eps-net as a generative prior.

    z ~ N(0, I),   x0 | z ~ CN(g(z), v I),   q(z | x0) = N(m(x0), diag exp(l(x0)))

Training descends the negative evidence bound, log v N + |x0 - g|^2 / v + KL(q || p), with v learnt ([Kingma-Welling]).
Like `SnapshotNet` it knows snapshots of *some* scene, at unit mean signal power.
"""

from dataclasses import asdict, dataclass

import torch
from torch import nn

from doamc.denoising.snapshot_net import clean_snapshots
from doamc.learning.layers import Linear
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class VaeConfig:
    """Hyper-parameters: width of the hidden layers, entries of z per element."""

    width: int = 192
    latent_per_element: float = 1.5

    def as_dict(self) -> dict[str, float]:
        """What a checkpoint records."""
        return asdict(self)


class VaeNet(nn.Module):
    """Encoder and decoder of one snapshot as 2 N real numbers; log_variance is log v."""

    def __init__(self, spec: ArraySpec, config: VaeConfig | None = None) -> None:
        super().__init__()
        self.config = config or VaeConfig()
        n, width = 2 * spec.n_elements, self.config.width
        self.n_latent = max(4, round(self.config.latent_per_element * spec.n_elements))
        self.encoder = _layers(n, width, 2 * self.n_latent)
        self.decoder = _layers(self.n_latent, width, n)
        self.log_variance = nn.Parameter(torch.tensor(-1.0, dtype=torch.float32))

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log variance of z, each (M, Z), for snapshots x (M, N) complex."""
        mean, log_variance = self.encoder(torch.view_as_real(x).flatten(1)).chunk(2, 1)
        return mean, log_variance.clamp(-12, 4)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """g(z), (M, N) complex, for z (M, Z)."""
        return torch.view_as_complex(self.decoder(z).unflatten(1, (-1, 2)).contiguous())


def _layers(inputs: int, width: int, outputs: int) -> nn.Sequential:
    hidden = [Linear(inputs, width), nn.SiLU(), Linear(width, width), nn.SiLU()]
    return nn.Sequential(*hidden, Linear(width, outputs))


def evidence_bound(net: VaeNet, x: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Negative evidence bound per snapshot (M,), up to N log pi, and |x - g|^2 / N (M,).

    x: (M, N) complex clean snapshots. noise: (M, Z) standard normal, for one draw of z each.
    """
    mean, log_variance = net.encode(x)
    error = (x - net.decode(mean + (0.5 * log_variance).exp() * noise)).abs().square().sum(1)
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
    n = x.shape[1]
    return n * net.log_variance + error * torch.exp(-net.log_variance) + kl, error / n


class VaeTask:
    """Training on fresh clean snapshots of every number of sources of the specification."""

    kind = "vae"

    def __init__(self, spec: ArraySpec, seed: int = 0, device: str = "cpu", batch: int = 512) -> None:
        self.spec, self.seed, self.device, self.batch = spec, seed, device, batch
        torch.manual_seed(seed)
        self.net = VaeNet(spec).to(device)
        self.config = self.net.config.as_dict()

    def _bound(self, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        low, high = self.spec.source_count
        share = -(-self.batch // (high - low + 1))
        x = torch.cat([clean_snapshots(self.spec, share, p, 8 * seed + p) for p in range(low, high + 1)])
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(len(x), self.net.n_latent, generator=generator, dtype=torch.float32)
        return evidence_bound(self.net, x.to(torch.complex64).to(self.device), noise.to(self.device))

    def loss(self, step: int) -> torch.Tensor:
        """Negative evidence bound over N, on fresh snapshots."""
        return self._bound(1_000_003 * (self.seed + 1) + step)[0].mean() / self.spec.n_elements

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Bound and mean squared error of reconstruction (signal power 1) on snapshots that training never sees."""
        bound, error = zip(*(self._bound(1 + k) for k in range(8)), strict=True)
        n = self.spec.n_elements
        return {"validation": float(torch.cat(bound).mean()) / n, "reconstruction": float(torch.cat(error).mean())}
