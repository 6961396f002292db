"""Guidance by name: denoisers of x_0 given x_t and y = H x_0 + n, made of any denoiser; DDRM is a sampler."""

from collections.abc import Callable
from typing import Any

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.guidance.base import Guidance
from doamc.diffusion.guidance.combined import Combined
from doamc.diffusion.guidance.ddrm import Ddrm
from doamc.diffusion.guidance.dps import Dps
from doamc.diffusion.guidance.moments import MomentMatching
from doamc.diffusion.guidance.pigdm import Pigdm
from doamc.diffusion.guidance.projection import Projection, Replacement
from doamc.diffusion.guidance.step import Likelihood, Step
from doamc.diffusion.linear_operator import Operator
from doamc.errors import SamplerError

#: guidance name -> class
GUIDANCES: dict[str, Callable[..., Guidance]] = {
    "step": Step,
    "likelihood": Likelihood,
    "dps": Dps,
    "pigdm": Pigdm,
    "moments": MomentMatching,
    "replacement": Replacement,
    "projection": Projection,
    "combined": Combined,
}


def guide(
    name: str,
    denoiser: Denoiser,
    operator: Operator,
    y: torch.Tensor,  # shape: (M,) or (B, M)
    noise_power: float | torch.Tensor,  # or (B,), one an item
    **options: Any,
) -> Denoiser:
    """Guided denoiser by name (one of `GUIDANCES`); options are those of its class. Raises SamplerError otherwise."""
    if name not in GUIDANCES:
        raise SamplerError(f"guidance must be one of {', '.join(GUIDANCES)}, found {name!r}")
    return GUIDANCES[name](denoiser, operator, y, noise_power, **options)


__all__ = ["GUIDANCES", "Ddrm", "Guidance", "guide"]
