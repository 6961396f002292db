"""Noise schedules beside the linear VP one: what every schedule offers, cosine (VP) and variance exploding (VE).

    x_t = alpha_t x_0 + sigma_t eps,        dx = f(t) x dt + g(t) dw
    f = d log alpha / dt,                   g^2 = d sigma^2 / dt - 2 f sigma^2

For complex x both eps and dw are circular: E|eps|^2 = 1, E|dw|^2 = dt per component.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch

from doamc.diffusion.schedule import VPSchedule
from doamc.errors import SamplerError


class NoiseSchedule(Protocol):
    """t in [0, 1], increasing noise; every method is elementwise on tensors."""

    def __call__(self, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(alpha_t, sigma_t)."""

    def alpha(self, t: torch.Tensor) -> torch.Tensor:
        """Signal factor."""

    def sigma(self, t: torch.Tensor) -> torch.Tensor:
        """Noise standard deviation."""

    def log_snr(self, t: torch.Tensor) -> torch.Tensor:
        """log(alpha^2 / sigma^2), falling with t."""

    def time(self, log_snr: torch.Tensor) -> torch.Tensor:
        """The inverse of `log_snr`."""

    def drift(self, t: torch.Tensor) -> torch.Tensor:
        """SDE coefficient f."""

    def diffusion(self, t: torch.Tensor) -> torch.Tensor:
        """SDE coefficient g."""


@dataclass(frozen=True)
class CosineSchedule:
    """alpha_t = cos(angle_t) / cos(angle_0), angle_t = pi/2 (t + s) / (1 + s); [Nichol-Dhariwal] eq. (17).

    beta is infinite at t = 1, so grids end at t_max (DDPM clips beta instead).
    """

    offset: float = 0.008
    t_max: float = 0.999

    def _angle(self, t: torch.Tensor) -> torch.Tensor:
        return 0.5 * math.pi * (t + self.offset) / (1 + self.offset)

    @property
    def _first(self) -> float:
        return 0.5 * math.pi * self.offset / (1 + self.offset)

    def __call__(self, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(alpha_t, sigma_t)."""
        return self.alpha(t), self.sigma(t)

    def alpha(self, t: torch.Tensor) -> torch.Tensor:
        """Signal factor."""
        return self._angle(t).cos() / math.cos(self._first)

    def sigma(self, t: torch.Tensor) -> torch.Tensor:
        """Noise standard deviation; cos^2 a - cos^2 b = sin(b - a) sin(b + a) keeps it exact as t falls to 0."""
        angle = self._angle(t)
        return ((angle - self._first).sin() * (angle + self._first).sin()).clamp_min(0).sqrt() / math.cos(self._first)

    def log_snr(self, t: torch.Tensor) -> torch.Tensor:
        """log(alpha^2 / sigma^2)."""
        return 2 * (self.alpha(t).log() - self.sigma(t).log())

    def time(self, log_snr: torch.Tensor) -> torch.Tensor:
        """The inverse of `log_snr`."""
        # tan(angle) is well conditioned at both ends, acos(alpha) at neither: sigma^2 / alpha^2 = e^-l gives
        # sin^2(angle) = sin^2(first) + cos^2(first) sigma^2, cos(angle) = cos(first) alpha
        cosine, sine = math.cos(self._first), math.sin(self._first)
        alpha, variance = torch.sigmoid(log_snr).sqrt(), torch.sigmoid(-log_snr)
        angle = torch.atan2((sine**2 + cosine**2 * variance).sqrt(), cosine * alpha)
        return angle * (1 + self.offset) * 2 / math.pi - self.offset

    def drift(self, t: torch.Tensor) -> torch.Tensor:
        """SDE coefficient f = -d angle/dt tan(angle)."""
        return -0.5 * math.pi / (1 + self.offset) * self._angle(t).tan()

    def diffusion(self, t: torch.Tensor) -> torch.Tensor:
        """SDE coefficient g = sqrt(-2 f), since alpha^2 + sigma^2 = 1."""
        return (-2 * self.drift(t)).sqrt()


@dataclass(frozen=True)
class VESchedule:
    """alpha = 1, sigma_t = sigma_min (sigma_max / sigma_min)^t: the SDE of SMLD, [Chan] eq. (105)."""

    sigma_min: float = 1e-3
    sigma_max: float = 100.0

    @property
    def _rate(self) -> float:
        return math.log(self.sigma_max / self.sigma_min)

    def __call__(self, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(1, sigma_t)."""
        return self.alpha(t), self.sigma(t)

    def alpha(self, t: torch.Tensor) -> torch.Tensor:
        """One: the signal is not shrunk."""
        return torch.ones_like(t)

    def sigma(self, t: torch.Tensor) -> torch.Tensor:
        """Noise standard deviation."""
        return self.sigma_min * torch.exp(self._rate * t)

    def log_snr(self, t: torch.Tensor) -> torch.Tensor:
        """-log sigma^2."""
        return -2 * (math.log(self.sigma_min) + self._rate * t)

    def time(self, log_snr: torch.Tensor) -> torch.Tensor:
        """The inverse of `log_snr`."""
        return (-0.5 * log_snr - math.log(self.sigma_min)) / self._rate

    def drift(self, t: torch.Tensor) -> torch.Tensor:
        """Zero."""
        return torch.zeros_like(t)

    def diffusion(self, t: torch.Tensor) -> torch.Tensor:
        """G = sqrt(d sigma^2 / dt)."""
        return self.sigma(t) * math.sqrt(2 * self._rate)


#: schedule name -> class
SCHEDULES: dict[str, Callable[..., NoiseSchedule]] = {
    "vp": VPSchedule,
    "cosine": CosineSchedule,
    "ve": VESchedule,
}


def make_schedule(name: str, **options: float) -> NoiseSchedule:
    """Schedule by name (one of `SCHEDULES`). Raises SamplerError on an unknown name."""
    if name not in SCHEDULES:
        raise SamplerError(f"schedule must be one of {', '.join(SCHEDULES)}, found {name!r}")
    return SCHEDULES[name](**options)
