"""What a simulated array receives of emitters: its coupling, the same from everywhere or depending on direction."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from doamc.antenna.draws import blocks_of
from doamc.errors import SpecificationError
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class ArrayResponse:
    """Positions (N, 3) in wavelengths, and coupling (N, N) of mean diagonal 1 as it is reported.

    extended: (N, J N), what multiplies steering vectors extended by J angular functions: the coupling itself for J = 1.
    gain: amplitude that elements with a pattern receive, of azimuths and elevations in rad; None where isotropic.
    on_sphere: whether the J functions are those of both angles.
    """

    positions: np.ndarray
    coupling: np.ndarray
    extended: np.ndarray
    gain: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    on_sphere: bool = False

    @property
    def n_blocks(self) -> int:
        """How many angular functions the response is made of; 1 where the coupling is the same from everywhere."""
        return self.extended.shape[1] // len(self.extended)

    def at(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray | None = None) -> np.ndarray:
        """Responses (N, P) of emitters at azimuths (P,) and elevations (P,), None for the horizon."""
        azimuth, n_blocks = np.radians(azimuth_deg), self.n_blocks
        if elevation_deg is None:
            phase = 2 * math.pi * self.positions[:, :2] @ np.stack([np.cos(azimuth), np.sin(azimuth)])
        else:
            up = np.radians(elevation_deg)
            towards = np.stack([np.cos(up) * np.cos(azimuth), np.cos(up) * np.sin(azimuth), np.sin(up)])
            phase = 2 * math.pi * self.positions @ towards
        a = np.exp(1j * phase)
        if self.gain is not None:
            a = a * self.gain(azimuth, np.zeros_like(azimuth) if elevation_deg is None else np.radians(elevation_deg))
        if n_blocks > 1:
            up = np.zeros_like(azimuth) if elevation_deg is None else np.radians(elevation_deg)
            functions = _on_sphere(azimuth, up, n_blocks) if self.on_sphere else blocks_of(azimuth_deg, n_blocks)
            a = (functions[:, None] * a).reshape(-1, len(azimuth))
        return self.extended @ a


def array_response(spec: ArraySpec, coupling: Any, seed: int) -> ArrayResponse:
    """Response of an array.

    coupling: None for parameters drawn from the prior by the seed; as many coefficients as the family has patterns,
    complex, or real where it is drawn from antennas, whose response depends on direction; or a matrix (N, N) of any
    scale. Raises SpecificationError on anything else.
    """
    import torch

    from doamc.coupling.directional import DirectionalFamily

    family = spec.family
    if coupling is None:
        theta = family.draw((), torch.Generator().manual_seed(seed))
    else:
        given = np.asarray(coupling, dtype=complex)
        if given.shape != (family.n_coefficients,):
            return _scaled(spec, given, given)
        theta = family.parameters(torch.from_numpy(given))
        meant = family.coefficients(*family.coordinates(theta)).numpy()
        if np.isfinite(given).all() and not np.allclose(meant, given, rtol=1e-9, atol=1e-12):
            raise SpecificationError(f"coefficients of the coupling of {spec.name} must be real, found complex ones")
    matrix = family.matrix(theta).numpy()
    extended = matrix
    if isinstance(family, DirectionalFamily):
        extended = family.response_matrix(theta).numpy()
    elif family.n_blocks > 1:
        c = family.coefficients(*family.coordinates(theta))
        extended = (family.mean + torch.einsum("k,kij->ij", c, family.patterns)).numpy()
    if coupling is None:
        on_sphere = isinstance(family, DirectionalFamily) and family.angular.on_sphere
        return ArrayResponse(spec.positions.numpy(), matrix, extended, _gain_of(spec), on_sphere)
    return _scaled(spec, matrix, extended)


def _scaled(spec: ArraySpec, matrix: np.ndarray, extended: np.ndarray) -> ArrayResponse:
    """Both over the mean diagonal of the matrix."""
    n = spec.n_elements
    mean = np.trace(matrix) / n if matrix.shape == (n, n) else 0
    if not np.isfinite(matrix).all() or mean == 0:
        raise SpecificationError(
            f"coupling must be {spec.family.n_coefficients} coefficients or a {n} x {n} matrix with a diagonal, "
            f"found shape {matrix.shape}"
        )
    on_sphere = spec.directional and spec.elevated and extended.shape[1] > n
    return ArrayResponse(spec.positions.numpy(), matrix / mean, extended / mean, _gain_of(spec), on_sphere)


def _on_sphere(azimuth: np.ndarray, elevation: np.ndarray, n_blocks: int) -> np.ndarray:
    """Functions of both angles (J, P), rad."""
    import torch

    from doamc.coupling.angular import sphere_functions

    return sphere_functions(torch.from_numpy(azimuth), torch.from_numpy(np.sin(elevation)), n_blocks).numpy()


def _gain_of(spec: ArraySpec) -> Callable[[np.ndarray, np.ndarray], np.ndarray] | None:
    import torch

    pattern = spec.element
    if pattern is None:
        return None
    return lambda azimuth, elevation: pattern.gain(torch.from_numpy(azimuth), torch.from_numpy(elevation)).numpy()
