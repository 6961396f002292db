"""Steps that are linear in x_t, D(x_t) and fresh noise, as those of DDPM, Euler-Maruyama and Langevin dynamics are."""

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.samplers.base import Sampler
from doamc.diffusion.samplers.noise import Noise

#: alpha, sigma, and the factors of x_t, D and noise
LinearStep = tuple[float, float, float, float, float]


def take(x: torch.Tensor, step: LinearStep, denoiser: Denoiser, noise: Noise) -> torch.Tensor:
    """State after one step."""
    alpha, sigma, keep, pull, of_noise = step
    return torch.add(x * keep, denoiser(x, alpha, sigma), alpha=pull).add_(noise.draw(), alpha=of_noise)


class LinearSampler(Sampler):
    """A sampler whose plan is one such step after the other."""

    stochastic = True

    def step(
        self, x: torch.Tensor, plan: LinearStep, denoiser: Denoiser, noise: Noise | None, memory: list[torch.Tensor]
    ) -> torch.Tensor:
        """One step of the plan."""
        assert noise is not None
        return take(x, plan, denoiser, noise)
