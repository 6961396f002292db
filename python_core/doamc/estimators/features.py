"""What the network reads of a batch of snapshots: sufficient statistics, made smooth and scale-free.

Sample covariance over its mean power, projector on its dominant eigenvectors, log eigenvalues over the noise
power, the rank-reduction (RARE) null spectrum of the coupling family, log L, levels, the number of sources, and the
frequency where a network serves a range of them.
"""

import math
from functools import cached_property

import torch

from doamc.arrays.steering import steering
from doamc.estimators.peaks import azimuth_grid
from doamc.spec import ArraySpec

GRID_POINTS = 121


class FeatureMap:
    """Features of sample covariances for one array."""

    def __init__(self, spec: ArraySpec) -> None:
        self.spec = spec
        n = spec.n_elements
        rows, columns = torch.triu_indices(n, n, 1)
        self._upper = rows, columns
        self._forms, self._own = self._rank_reduction_forms()
        span = spec.frequency_range
        self._place = None if span is None else (2 * spec.frequency - span[0] - span[1]) / (span[1] - span[0])

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

    @cached_property
    def size(self) -> int:
        """Length F of the feature vector."""
        eye, one = torch.eye(self.spec.n_elements, dtype=torch.complex128)[None], torch.ones(1, dtype=torch.float64)
        return self(eye, one, torch.tensor([1]), one, torch.tensor([True])).shape[1]

    def __call__(
        self,
        covariance: torch.Tensor,  # shape: (B, N, N)
        snapshots: torch.Tensor,  # shape: (B,), effective L
        n_sources: torch.Tensor,  # shape: (B,), int
        noise_power: torch.Tensor,  # shape: (B,), read only where known
        known: torch.Tensor,  # shape: (B,), bool
    ) -> torch.Tensor:
        """Features (B, F) float32."""
        r = covariance.to(torch.complex64)
        n = r.shape[-1]
        level = r.diagonal(dim1=1, dim2=2).real.mean(1)
        values, vectors = torch.linalg.eigh(r / level[:, None, None])
        values = values.flip(1).clamp_min(1e-7)
        vectors = vectors.flip(2)
        place = torch.arange(n, device=r.device)
        rank = torch.minimum(n_sources.float(), snapshots.float()).clamp_max(n - 1)
        dominant = (place < rank[:, None]).float()
        tail = (place >= n_sources[:, None]).float()
        guess = (values * tail).sum(1) / tail.sum(1) * snapshots / (snapshots - n_sources).clamp_min(0.5)
        s2 = torch.where(known, noise_power.float() / level, guess).clamp_min(1e-6)
        projector = (vectors * dominant[:, None]) @ vectors.mH
        eye = torch.eye(n, dtype=r.dtype, device=r.device)
        flags = torch.stack(
            [
                snapshots.float().log() / 5 - 1,
                (snapshots * s2 / (1 + s2)).float().clamp_min(1e-6).log() / 5,
                -s2.log() / 4 - 0.5,
                level.log() / 2,
                (level * s2).log() / 4,
                known.float(),
                1 / snapshots.float(),
            ],
            1,
        )
        if self._place is not None:
            flags = torch.nn.functional.pad(flags, (0, 1), value=self._place)
        count = torch.nn.functional.one_hot(n_sources - 1, self.spec.source_count[1]).float()
        return torch.cat(
            [
                self._flat(r / level[:, None, None]),
                2 * self._flat(projector),
                (values / s2[:, None]).clamp_min(1e-2).log() / 4,
                self._null_spectrum(eye - projector),
                flags,
                count,
            ],
            1,
        ).float()

    def null_spectrum(self, features: torch.Tensor) -> torch.Tensor:
        """The part of features (B, F) that is the null spectrum over `grid`, (B, G)."""
        first = 2 * self.spec.n_elements**2 + self.spec.n_elements
        return features[:, first : first + len(self.grid)]

    def _flat(self, matrix: torch.Tensor) -> torch.Tensor:
        upper = matrix[:, self._upper[0], self._upper[1]]
        return torch.cat([matrix.diagonal(dim1=1, dim2=2).real - 1, upper.real, upper.imag], 1)

    def _null_spectrum(self, noise_projector: torch.Tensor) -> torch.Tensor:
        k = self._own
        flat = noise_projector.flatten(1) @ self._forms.to(noise_projector.device)
        form = flat.view(len(flat), -1, k, k)
        return _log_det(form).clamp_min(-14.0) / 4 + 0.5


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
