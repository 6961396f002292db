"""S F of real images as an operator without a matrix: its singular vectors are a real orthonormal Fourier basis.

The Hartley transform h(k) = Re X(k) - Im X(k) of the unitary FFT X is real, orthonormal and its own inverse.
cas(k x) and cas(-k x) span what cos(k x) and sin(k x) do, so a Hermitian mask keeps whole pairs, and real white noise
of variance sigma^2 a pixel has variance sigma^2 a coordinate: H = diag(s) P V^T with V the Hartley transform and P
what keeps the measured cells. One FFT a product, whatever the size.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from doamc.errors import ImagingError
from doamc.imaging.visibilities import GridVisibilities, mirrored


def hartley(images: torch.Tensor) -> torch.Tensor:
    """Orthonormal two-dimensional Hartley transform of (..., n, m), its own inverse and its own adjoint."""
    transform = torch.fft.fft2(images, norm="ortho")
    return transform.real - transform.imag


class FourierSampling:
    """What visibilities on a grid observe of real images x, flat (..., n m): an `Operator` of `diffusion`.

    y are real, (..., R): `coordinates` makes them of visibilities. gain: s of every cell, (n, m), 1 where not given;
    coordinates are sorted by it, descending, as guidance expects.
    """

    def __init__(
        self,
        mask: NDArray[np.bool_],  # shape: (n, m), Hermitian
        gain: NDArray[np.float64] | None = None,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        """Raises ImagingError where the mask is empty or not Hermitian, or a gain is not positive or not even."""
        if mask.ndim != 2 or not mask.any() or not (mask == mirrored(mask)).all():
            raise ImagingError(f"expected a Hermitian mask (n, m) with a measured cell, found shape {mask.shape}")
        even = np.ones(mask.shape) if gain is None else np.asarray(gain, np.float64)
        if even.shape != mask.shape or not (even[mask] > 0).all() or not (even == mirrored(even))[mask].all():
            raise ImagingError("expected one gain > 0 a cell, the same at k and at -k, found others")
        cells = np.flatnonzero(mask)
        cells = cells[np.argsort(-even.ravel()[cells], kind="stable")]
        self.shape: tuple[int, int] = (mask.shape[0], mask.shape[1])
        self.cells = torch.as_tensor(cells, device=device)
        self.s = torch.as_tensor(even.ravel()[cells], dtype=dtype, device=device)

    @classmethod
    def of(
        cls, visibilities: GridVisibilities, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> tuple["FourierSampling", torch.Tensor, float]:
        """Operator, y (B, R) and noise power a coordinate: where sigma differs by cell, all are whitened by it."""
        if visibilities.sigma.ndim == 0:
            operator, least = cls(visibilities.mask, None, dtype, device), float(visibilities.sigma)
        else:
            least = float(visibilities.sigma[visibilities.mask].min())
            gain = np.where(visibilities.mask, least / np.where(visibilities.mask, visibilities.sigma, 1), 1)
            operator = cls(visibilities.mask, gain, dtype, device)
        return operator, operator.s * operator.coordinates(visibilities.values), least**2

    @property
    def rows(self) -> int:
        """Entries of y, R."""
        return len(self.s)

    @property
    def columns(self) -> int:
        """Pixels, n m."""
        return self.shape[0] * self.shape[1]

    @property
    def rank(self) -> int:
        """R, measured cells."""
        return len(self.s)

    def of_real_states(self) -> "FourierSampling":
        """Itself: states are real."""
        return self

    def coordinates(self, values: NDArray[np.complex128]) -> torch.Tensor:
        """Hartley coordinates P V^T x + noise, (..., R), of Hermitian visibilities (..., n, m); gains not applied."""
        h = torch.as_tensor(values.real - values.imag, dtype=self.s.dtype, device=self.s.device)
        return h.flatten(-2)[..., self.cells]

    def apply(self, x: torch.Tensor) -> torch.Tensor:
        """H x: (..., n m) -> (..., R)."""
        return self.s * self.spectral(x)

    def spectral(self, x: torch.Tensor) -> torch.Tensor:
        """P V^T x: (..., n m) -> (..., R)."""
        return hartley(x.unflatten(-1, self.shape)).flatten(-2)[..., self.cells]

    def from_spectral(self, z: torch.Tensor) -> torch.Tensor:
        """V P^T z: (..., R) -> (..., n m), the adjoint of `spectral`."""
        grid = z.new_zeros(*z.shape[:-1], self.columns)
        grid[..., self.cells] = z
        return hartley(grid.unflatten(-1, self.shape)).flatten(-2)

    def observed(self, y: torch.Tensor) -> torch.Tensor:
        """Y itself: U is the identity."""
        return y
