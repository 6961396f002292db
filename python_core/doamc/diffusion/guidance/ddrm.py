"""DDRM: a chain in the coordinates of the SVD of H, guided without derivatives: [Kawar].

With z_i = (V^H x_t / alpha)_i, noise level q = sigma / alpha, m_i = (V^H D)_i and w_i = (U^H y)_i / s_i, which has
noise sigma_y / s_i:

    not observed, s_i = 0:   z_i' ~ N(m_i + sqrt(1 - eta^2) q' (z_i - m_i) / q,                 eta^2 q'^2)
    q' < sigma_y / s_i:      z_i' ~ N(m_i + sqrt(1 - eta^2) q' (w_i - m_i) / (sigma_y / s_i),   eta^2 q'^2)
    q' >= sigma_y / s_i:     z_i' ~ N((1 - eta_b) m_i + eta_b w_i,                              q'^2 - eta_b^2
    sigma_y^2 / s_i^2)

A clean end, q' = 0, is below the noise of w: there x_0 is D, and y is heard no more ([Kawar] has noise-free y apart).

It is a sampler, and takes the denoiser unguided: y comes in through the chain. [Kawar] eqs. (7)-(8); H is complex
here, the noise circular. It does not sample the posterior: the deviation of its samples is no error bar.
"""

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.linear_operator import Operator, stacked
from doamc.diffusion.samplers.base import Sampler
from doamc.diffusion.samplers.noise import Noise
from doamc.errors import SamplerError


@dataclass(frozen=True)
class DdrmStep:
    """alpha, sigma at t, alpha at s; factors of (z, m, w, noise): (R,) each on what H observes, floats elsewhere."""

    alpha: float
    sigma: float
    next_alpha: float
    observed: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    unobserved: tuple[float, float, float]


class Ddrm(Sampler):
    """eta, eta_b in [0, 1]; the published choice is 0.85 and 1."""

    stochastic = True

    def __init__(
        self,
        operator: Operator,
        y: torch.Tensor,  # shape: (M,) or (B, M)
        noise_power: float,
        eta: float = 0.85,
        eta_b: float = 1.0,
    ) -> None:
        if y.shape[-1] != operator.rows or not noise_power > 0:
            raise SamplerError(
                f"expected y with {operator.rows} entries and noise_power > 0, found {y.shape[-1]} and {noise_power}"
            )
        if not (0 <= eta <= 1 and 0 <= eta_b <= 1):
            raise SamplerError(f"eta and eta_b must lie in 0..1, found {eta} and {eta_b}")
        self.y, self.noise_power, self.eta, self.eta_b = y, noise_power, eta, eta_b
        self._observe(operator, y, noise_power)

    def _observe(self, operator: Operator, y: torch.Tensor, noise_power: float) -> None:
        self.operator, self.observed = operator, operator.observed(y) / operator.s  # w
        self.noise_std = noise_power**0.5 / operator.s  # sigma_y / s_i

    def of_real_states(self) -> "Ddrm":
        """The same chain for real x_0: a complex y is then two real observations, each with half of the noise."""
        real = self.operator.of_real_states()
        if real is self.operator:
            return self
        other = copy(self)
        other._last = None
        other._observe(real, stacked(self.y), 0.5 * self.noise_power)
        return other

    def start(self, grid: Grid, draw: torch.Tensor) -> torch.Tensor:
        """State at the first point of a grid: around w with what is missing to its noise where it is noisier than w.

        draw: standard normal (B, N); elsewhere the state is this times sigma. Below the noise of w all is elsewhere.
        `sample` starts at noise alone unless it is given this: the same to rounding where sigma is far above x_0.
        """
        chain = self if draw.is_complex() else self.of_real_states()
        q, spectral = grid.sigma[0] / grid.alpha[0], chain.operator.spectral(draw)
        rest = (q**2 - chain.noise_std**2).clamp_min(0).sqrt()
        wanted = torch.where(q >= chain.noise_std, chain.observed + rest * spectral, q * spectral)
        return grid.alpha[0] * (q * draw + chain.operator.from_spectral(wanted - q * spectral))

    def plan(self, grid: Grid) -> Sequence[DdrmStep]:
        """Regime and factors of every step and component."""
        kept = math.sqrt(1 - self.eta**2)
        steps = []
        for k in range(len(grid)):
            q, q_next = grid.sigma[k] / grid.alpha[k], grid.sigma[k + 1] / grid.alpha[k + 1]
            noisy = q_next < self.noise_std  # y is noisier than the state: keep a share of its innovation
            share = kept * q_next / self.noise_std
            of_w = torch.where(noisy, share, torch.full_like(share, self.eta_b))
            rest = (q_next**2 - (self.eta_b * self.noise_std) ** 2).clamp_min(0).sqrt()
            of_noise = torch.where(noisy, torch.full_like(rest, self.eta * q_next), rest)
            unobserved = (kept * q_next / q, 1 - kept * q_next / q, self.eta * q_next)
            steps.append(
                DdrmStep(grid.alpha[k], grid.sigma[k], grid.alpha[k + 1], (1 - of_w, of_w, of_noise), unobserved)
            )
        return steps

    def step(
        self, x: torch.Tensor, plan: DdrmStep, denoiser: Denoiser, noise: Noise | None, memory: list[torch.Tensor]
    ) -> torch.Tensor:
        """One step of the chain: everywhere as if nothing were observed, then what is observed put in its place."""
        assert noise is not None
        m, z = denoiser(x, plan.alpha, plan.sigma), noise.draw()
        keep, pull, of_z = plan.unobserved
        free = torch.add(x * (keep / plan.alpha), m, alpha=pull).add_(z, alpha=of_z)
        of_m, of_w, of_noise = plan.observed
        spectral = self.operator.spectral
        wanted = of_m * spectral(m) + of_w * self.observed + of_noise * spectral(z)
        return (free + self.operator.from_spectral(wanted - spectral(free))) * plan.next_alpha
