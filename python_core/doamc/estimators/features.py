"""What the network reads of a batch of snapshots: sufficient statistics, made smooth and scale-free.

Sample covariance over its mean power, projector on its dominant eigenvectors, log eigenvalues over the noise
power, the rank-reduction (RARE) null spectrum of the coupling family, log L, levels, the number of sources, and the
frequency where a network serves a range of them.
"""

from functools import cached_property

import torch

from doamc.estimators.null_spectrum import NullSpectrum
from doamc.spec import ArraySpec


class FeatureMap:
    """Features of sample covariances for one array."""

    def __init__(self, spec: ArraySpec) -> None:
        self.spec = spec
        n = spec.n_elements
        rows, columns = torch.triu_indices(n, n, 1)
        self._upper = rows, columns
        self.null_spectrum = NullSpectrum(spec)
        span = spec.frequency_range
        self._place = None if span is None else (2 * spec.frequency - span[0] - span[1]) / (span[1] - span[0])

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
                self.null_spectrum(eye - projector),
                flags,
                count,
            ],
            1,
        ).float()

    def _flat(self, matrix: torch.Tensor) -> torch.Tensor:
        upper = matrix[:, self._upper[0], self._upper[1]]
        return torch.cat([matrix.diagonal(dim1=1, dim2=2).real - 1, upper.real, upper.imag], 1)
