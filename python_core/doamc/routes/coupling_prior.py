"""Denoisers over the coupling: the mean of c_R given a noisy c_R,t, from a network or by quadrature over the prior.

c_R are the family's real parameters theta, brought to mean 0 and variance 1 a coordinate (u), and diffused by the VP
schedule, u_t = alpha u_0 + sigma eps ([Luo-Fung] eq. (8)). The prior of a specification is a product over the
coefficients, so quadrature over the plane of one of them gives its score exactly; the network is the learnt s_gamma of
eq. (19).
"""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from doamc.coupling.coefficients import CoefficientFamily
from doamc.diffusion.parametrisation import NetworkDenoiser
from doamc.diffusion.schedule import VPSchedule
from doamc.errors import CheckpointError
from doamc.learning.checkpoint import find_weights, load_checkpoint
from doamc.learning.layers import Linear
from doamc.spec import ArraySpec

#: log-SNRs that the network is trained at
TRAINED = (-6.0, 8.0)


@dataclass(frozen=True)
class CouplingScale:
    """Mean and standard deviation of theta under the prior, each (2 K,): theta = mean + deviation u."""

    mean: torch.Tensor
    deviation: torch.Tensor

    @classmethod
    def of(cls, family: CoefficientFamily) -> "CouplingScale":
        """Closed-form moments of |c| uniform in [low, high] and arg c uniform in +-w; at least 1e-3 of deviation."""
        low, high = family.magnitude.unbind(1)
        middle = 0.5 * (low + high) * (math.sin(family.phase_rad) / family.phase_rad if family.phase_rad else 1.0)
        deviation = (0.5 * (family.mean_square - middle * middle)).clamp_min(1e-6).sqrt()
        return cls(torch.cat([middle, torch.zeros_like(middle)]), deviation.repeat(2))


class QuadratureDenoiser:
    """E[u_0 | u_t] under the prior of a specification, to the accuracy of a grid of magnitudes and phases."""

    def __init__(self, spec: ArraySpec, magnitudes: int = 12, phases: int = 48) -> None:
        family, scale = spec.plain_family, CouplingScale.of(spec.plain_family)
        k = family.n_coefficients
        r = (torch.arange(magnitudes, dtype=torch.float64) + 0.5) / magnitudes
        f = (2 * (torch.arange(phases, dtype=torch.float64) + 0.5) / phases - 1) * family.phase_rad
        low, high = family.magnitude.unbind(1)
        size = low[:, None] + (high - low)[:, None] * r
        c = torch.polar(size[:, :, None].expand(-1, -1, phases), f.expand(k, magnitudes, phases)).flatten(1)
        mean, deviation = scale.mean.reshape(2, k), scale.deviation.reshape(2, k)
        self.points = torch.stack([c.real, c.imag]).sub(mean[..., None]).div(deviation[..., None])  # (2, K, Q)

    def __call__(self, u_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Mean of u_0 (M, 2 K) given u_t (M, 2 K)."""
        pair = u_t.unflatten(1, (2, -1))[..., None]
        weight = torch.softmax(-(pair - alpha * self.points).square().sum(1) / (2 * sigma**2), -1)  # (M, K, Q)
        return torch.einsum("mkq,ckq->mck", weight, self.points).flatten(1)


@dataclass(frozen=True)
class CouplingNetConfig:
    """Hyper-parameters: width of the hidden layers."""

    width: int = 128


class CouplingNet(nn.Module):
    """eps_gamma(u_t, log-SNR): three layers; at high noise eps is u_t itself."""

    frequency: torch.Tensor

    def __init__(self, spec: ArraySpec, config: CouplingNetConfig | None = None) -> None:
        super().__init__()
        width, d = (config or CouplingNetConfig()).width, 2 * spec.plain_family.n_coefficients
        self.register_buffer("frequency", 2.0 ** torch.arange(-4, 2).float(), persistent=False)
        hidden = [Linear(d + 12, width), nn.SiLU(), Linear(width, width), nn.SiLU(), Linear(width, width)]
        self.layers = nn.Sequential(*hidden, nn.SiLU(), Linear(width, d))

    def forward(self, u_t: torch.Tensor, log_snr: torch.Tensor) -> torch.Tensor:
        """Predicted noise (M, 2 K) for states (M, 2 K) at log-SNRs (M,) or (1,)."""
        angle = (log_snr[:, None] * self.frequency).expand(len(u_t), -1)
        out = self.layers(torch.cat([u_t, angle.sin(), angle.cos()], 1))
        return out + torch.sqrt(torch.sigmoid(-log_snr))[:, None] * u_t


def open_denoiser(spec: ArraySpec, weights: str | Path | None) -> NetworkDenoiser | QuadratureDenoiser:
    """The learnt score of an array where weights for it exist (or are named), else quadrature over its prior."""
    try:
        kept = load_checkpoint(weights or find_weights("coupling", *spec.names), "coupling", spec)
    except CheckpointError:
        if weights is not None:
            raise
        return QuadratureDenoiser(spec)
    net = kept.network(lambda config: CouplingNet(spec, CouplingNetConfig(**config)))
    return NetworkDenoiser(net, "eps", TRAINED, torch.float32)


class CouplingTask:
    """[Ho-Jain-Abbeel] algorithm 1 over the coupling parameters of a specification's prior."""

    kind = "coupling"

    def __init__(self, spec: ArraySpec, seed: int = 0, device: str = "cpu", batch: int = 1024) -> None:
        self.spec, self.seed, self.device, self.batch = spec, seed, device, batch
        torch.manual_seed(seed)
        config = CouplingNetConfig()
        self.net, self.config = CouplingNet(spec, config).to(device), {"width": config.width}
        self.scale, self.schedule = CouplingScale.of(spec.plain_family), VPSchedule()

    def _loss(self, seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        u = (self.spec.plain_family.draw((self.batch,), generator) - self.scale.mean) / self.scale.deviation
        # uniform in log-SNR: in t most draws would be nearly pure noise
        low, high = TRAINED
        log_snr = low + (high - low) * torch.rand(self.batch, generator=generator, dtype=torch.float32)
        t = self.schedule.time(log_snr)
        eps = torch.randn(u.shape, generator=generator, dtype=torch.float32)
        u_t = self.schedule.alpha(t)[:, None] * u.float() + self.schedule.sigma(t)[:, None] * eps
        return (self.net(u_t.to(self.device), log_snr.to(self.device)) - eps.to(self.device)).square().mean()

    def loss(self, step: int) -> torch.Tensor:
        """Squared error of the predicted noise, on fresh draws."""
        return self._loss(1_000_003 * (self.seed + 1) + step)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Loss on draws that training never sees."""
        return {"validation": float(torch.stack([self._loss(1 + k) for k in range(8)]).mean())}
