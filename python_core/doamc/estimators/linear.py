"""What root-MUSIC, ESPRIT and spatial smoothing need of a uniform linear array: a_m = exp(j m omega)."""

import math

import torch

from doamc.errors import EstimatorError
from doamc.spec import ArraySpec


def require_ula(spec: ArraySpec, method: str) -> float:
    """Element spacing in wavelengths. Raises EstimatorError unless the array is a uniform linear one."""
    if spec.geometry["kind"] != "ula":
        raise EstimatorError(
            f"{method} needs a uniform linear array (geometry kind 'ula'), found {spec.geometry['kind']!r} in "
            f"{spec.name}; use music"
        )
    return float(spec.geometry.get("spacing_wavelengths", 0.5))


def azimuth_of_phase(
    spec: ArraySpec,
    omega: torch.Tensor,  # shape: (...), rad per element, any branch
) -> torch.Tensor:
    """Azimuth (...) in rad of the phase step omega = 2 pi d sin(az).

    Beyond half a wavelength several directions share a phase: the one whose sine is nearest to the middle of the
    sector is taken. A phase that no direction has is moved to endfire.
    """
    spacing = require_ula(spec, "this method")
    low, high = spec.sector_rad
    ends = torch.tensor([low, high], dtype=torch.float64).sin()
    middle = 0.0 if spec.full_circle else float(ends.mean())
    sine = torch.remainder(omega / (2 * math.pi * spacing) - middle + 0.5 / spacing, 1 / spacing)
    return (sine + middle - 0.5 / spacing).clamp(-1, 1).asin()


def azimuth_slope(spec: ArraySpec, azimuth: torch.Tensor) -> torch.Tensor:
    """Slope d az / d omega (...), at most 1e6 in size (it grows without bound at endfire)."""
    return 1 / (2 * math.pi * require_ula(spec, "this method") * azimuth.cos().clamp_min(1e-6))
