"""The rank-reduction (RARE) null spectrum of a coupling family on a grid: small where a source is.

RARE: Pesavento, Gershman and Wong, IEEE Trans. Signal Processing 50 (2002) 2103-2115; for coupling: Friedlander and
Weiss, IEEE Trans. Antennas and Propagation 39 (1991) 273-284.
"""

import math

import torch

from doamc.arrays.steering import steering
from doamc.estimators.peaks import azimuth_grid
from doamc.spec import ArraySpec

GRID_POINTS = 121


class NullSpectrum:
    """log det T(az)^H E_n E_n^H T(az) over `grid` (G,) rad, T an orthonormal basis of [B_k a(az)]; scaled for a net."""

    def __init__(self, spec: ArraySpec) -> None:
        self.spec = spec
        self._forms, self._own = self._rank_reduction_forms()

    def __call__(self, noise_projector: torch.Tensor) -> torch.Tensor:
        """Spectrum (B, G) of projectors (B, N, N) complex64 on the noise subspace."""
        k = self._own
        flat = noise_projector.flatten(1) @ self._forms.to(noise_projector.device)
        form = flat.view(len(flat), -1, k, k)
        return _log_det(form).clamp_min(-14.0) / 4 + 0.5

    def of_vectors(
        self,
        vectors: torch.Tensor,  # shape: (B, N, N), of sample covariances, by ascending eigenvalue
        snapshots: torch.Tensor,  # shape: (B,), effective L
        n_sources: int,
    ) -> torch.Tensor:
        """Spectrum (B, G) of sample covariances."""
        n = vectors.shape[-1]
        vectors = vectors.flip(2)
        rank = snapshots.clamp_max(min(n_sources, n - 1))
        noise = (torch.arange(n, device=vectors.device) >= rank[:, None]).to(vectors.dtype)
        return self((vectors * noise[:, None] @ vectors.mH).to(torch.complex64))

    def _rank_reduction_forms(self) -> tuple[torch.Tensor, int]:
        """T(az)^H M T(az) as a linear map of Hermitian M, and its size; T: orthonormal basis of [B_k a(az)]."""
        span = self.spec.azimuth_deg[1] - self.spec.azimuth_deg[0]
        grid = self.grid = azimuth_grid(self.spec, span / (GRID_POINTS - 1))
        family = self.spec.family
        basis = family.linear_basis
        if family.narrow:  # the null spectrum of the prior's mean, blunted by no rank reduction
            mean = torch.zeros(1, family.n_parameters, dtype=torch.float64)
            t = family.response(mean, self.spec.positions, grid[:, None])  # (G, N, 1)
        else:
            if basis.shape[0] > 5 or basis.shape[0] >= self.spec.n_elements:  # too free a family: plain null spectrum
                basis = basis[:1]
            a = steering(self.spec.positions, grid).to(basis.dtype)
            t = torch.einsum("kij,jg->gik", basis.to(torch.complex128), a)
        t = torch.linalg.qr(t)[0]  # orthonormal columns: the forms lie between 0 and 1
        form = torch.einsum("gik,gjl->ijgkl", t.conj(), t)
        n, k = self.spec.n_elements, t.shape[-1]
        return form.reshape(n * n, -1).to(torch.complex64), k


def _log_det(matrix: torch.Tensor) -> torch.Tensor:
    """log det of small Hermitian matrices (..., k, k), closed form up to 3; floors at 1e-12."""
    k = matrix.shape[-1]
    if k == 1:
        value = matrix[..., 0, 0].real
    elif k == 2:
        value = (matrix[..., 0, 0] * matrix[..., 1, 1]).real - matrix[..., 0, 1].abs().square()
    elif k == 3:
        a, b, c = (matrix[..., i, i].real for i in range(3))
        d, e, f = matrix[..., 0, 1], matrix[..., 0, 2], matrix[..., 1, 2]
        square = [v.real.square() + v.imag.square() for v in (d, e, f)]
        value = a * b * c + 2 * (d * f * e.conj()).real - a * square[2] - b * square[1] - c * square[0]
    else:
        value = torch.linalg.det(matrix).real
    return value.clamp_min(1e-12).log() / math.sqrt(k)
