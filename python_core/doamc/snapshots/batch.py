"""A checked batch of snapshots: what every estimator takes."""

from dataclasses import dataclass, replace

import torch

from doamc.errors import SnapshotError


@dataclass(frozen=True)
class SnapshotBatch:
    """B independent observations of one array.

    snapshots: (B, N, L) complex128. covariance: sample covariance Y Y^H / L, (B, N, N).
    n_snapshots: L. noise_power: (B,) per element where it is known beforehand, else None.
    """

    snapshots: torch.Tensor
    covariance: torch.Tensor
    n_snapshots: int
    noise_power: torch.Tensor | None = None

    @property
    def size(self) -> int:
        """Number of observations B."""
        return self.covariance.shape[0]

    @property
    def n_elements(self) -> int:
        """Number of antenna elements N."""
        return self.covariance.shape[1]

    def select(self, index: torch.Tensor | slice) -> "SnapshotBatch":
        """Some of the observations."""
        noise = None if self.noise_power is None else self.noise_power[index]
        return replace(self, snapshots=self.snapshots[index], covariance=self.covariance[index], noise_power=noise)


def make_batch(
    snapshots: torch.Tensor,  # shape: (B, N, L) or (N, L), complex
    n_elements: int | None = None,
    noise_power: torch.Tensor | float | None = None,  # shape: (B,) or scalar
    first: int = 0,
) -> SnapshotBatch:
    """Check snapshots and compute their covariance; first: number of the first observation, for messages only.

    Raises SnapshotError when the shape does not fit the array, samples are NaN or infinite, a channel is dead
    (all zeros) or the noise power is not positive.
    """
    y = torch.as_tensor(snapshots)
    y = y[None] if y.dim() == 2 else y
    if y.dim() != 3 or not y.is_complex():
        raise SnapshotError(f"expected complex snapshots of shape (B, N, L), found {y.dtype} {tuple(y.shape)}")
    if n_elements is not None and y.shape[1] != n_elements:
        raise SnapshotError(f"expected {n_elements} channels for this array, found {y.shape[1]}; check --array")
    if y.shape[2] < 1 or y.shape[0] < 1:
        raise SnapshotError(f"expected at least one observation of L >= 1 snapshots, found shape {tuple(y.shape)}")
    y = y.to(torch.complex128)
    covariance = y @ y.mH / y.shape[2]
    power = covariance.diagonal(dim1=1, dim2=2).real
    if not torch.isfinite(power).all():
        where = int((~torch.isfinite(power)).any(1).nonzero()[0]) + first
        raise SnapshotError(f"snapshots hold NaN or infinite samples (first in batch {where}); remove or repair them")
    if (power == 0).any():
        b, channel = (int(v) for v in (power == 0).nonzero()[0])
        what = "all samples are zero" if (power[b] == 0).all() else f"channel {channel} is dead (all zeros)"
        raise SnapshotError(f"{what} in batch {first + b}; check the receiver and its cables")
    noise = None
    if noise_power is not None:
        noise = torch.as_tensor(noise_power, dtype=torch.float64).reshape(-1)
        if noise.numel() not in (1, y.shape[0]) or not (torch.isfinite(noise) & (noise > 0)).all():
            raise SnapshotError(f"noise power must be positive, one value or {y.shape[0]}, found {noise.tolist()[:4]}")
        noise = noise.expand(y.shape[0]).to(y.device)
    return SnapshotBatch(y, covariance, y.shape[2], noise)
