"""A checked batch of snapshots: what every estimator takes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from doamc.errors import SnapshotError
from doamc.snapshots.effective_snapshots import EffectiveSnapshots, effective_snapshots
from doamc.snapshots.look import Look, look_by_numpy

#: least and largest power of a channel: beyond, squares of double precision overflow or lose their digits
POWERS = (1e-280, 1e280)
#: a known noise power must lie within this factor of the mean power, either way: rounding errors reach as far
NOISE_REACH = 1e15


@dataclass(frozen=True)
class SnapshotBatch:
    """B independent observations of one array.

    snapshots: (B, N, L) complex128. covariance: sample covariance Y Y^H / L, (B, N, N).
    n_snapshots: L. noise_power: (B,) per element where it is known beforehand, else None. left_out: (B,) snapshots that
    were set to zero for their impulses (`without_impulses`); offset_removed: (B,) bool, whether a
    constant was taken out of the channels (`ConverterOffset`); both None where nobody has looked.
    """

    snapshots: torch.Tensor
    covariance: torch.Tensor
    n_snapshots: int
    noise_power: torch.Tensor | None = None
    left_out: torch.Tensor | None = None
    offset_removed: torch.Tensor | None = None

    @property
    def size(self) -> int:
        """Number of observations B."""
        return self.covariance.shape[0]

    @property
    def n_elements(self) -> int:
        """Number of antenna elements N."""
        return self.covariance.shape[1]

    @cached_property
    def powers(self) -> tuple[float, float]:
        """The least and the greatest power of a channel, NaN where one is."""
        return _extremes(self.covariance)

    @cached_property
    def eigen(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Eigenvalues (B, N), ascending, and eigenvectors (B, N, N) of the covariance."""
        values, vectors = np.linalg.eigh(self.covariance.resolve_conj().cpu().numpy())
        device = self.covariance.device
        return torch.from_numpy(values).to(device), torch.from_numpy(vectors).to(device)

    def noted(
        self, left_out: torch.Tensor | None = None, offset_removed: torch.Tensor | None = None
    ) -> "SnapshotBatch":
        """The same snapshots with what a look at them found; what is known of them (`eigen`, `look`) is kept."""
        other, found = object.__new__(type(self)), {"left_out": left_out, "offset_removed": offset_removed}
        vars(other).update(vars(self), **{name: value for name, value in found.items() if value is not None})
        return other

    @cached_property
    def look(self) -> Look:
        """What one look at all samples found: by NumPy, unless `estimators.looking` had compiled loops for it."""
        return look_by_numpy(self.snapshots, self.eigen)

    @cached_property
    def effective(self) -> EffectiveSnapshots:
        """Effective numbers of snapshots, which are correlated in time."""
        return effective_snapshots(self.snapshots, self.eigen, self.look, self.left_out)

    def select(self, index: torch.Tensor | slice) -> "SnapshotBatch":
        """Some of the observations."""
        names = ("snapshots", "covariance", "noise_power", "left_out", "offset_removed")
        held = {name: getattr(self, name) for name in names}
        some = replace(self, **{name: value[index] for name, value in held.items() if value is not None})
        if "look" in vars(self):  # found once a batch
            vars(some)["look"] = self.look.of(index.cpu().numpy() if torch.is_tensor(index) else index)
        if "first" in vars(self) and isinstance(index, slice):
            vars(some)["first"] = vars(self)["first"] + index.indices(self.size)[0]
        if "effective" in vars(self):
            vars(some)["effective"] = self.effective.select(index)
        return some


def make_batch(
    snapshots: torch.Tensor,  # shape: (B, N, L) or (N, L), complex
    n_elements: int | None = None,
    noise_power: torch.Tensor | float | None = None,  # shape: (B,) or scalar
    first: int = 0,
    channels: Sequence[int] | None = None,
) -> SnapshotBatch:
    """Check snapshots and compute their covariance; first: number of the first observation, for messages only.

    channels: element that each channel of a receiver comes from (`ArraySpec.channels`); None where snapshots have the
    order of the elements, as the batch has. This is the one place where channels become elements.
    Raises SnapshotError when the shape does not fit the array, samples are NaN or infinite, a channel is dead
    (all zeros), channels are so loud or faint that `POWERS` does not hold them, or the noise power is not positive or
    further than `NOISE_REACH` from the level.
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
    rows = list(range(y.shape[1])) if channels is None else [int(k) for k in np.argsort(channels)]
    if channels is not None and rows != sorted(rows):
        y = y[:, rows]
    covariance = (y @ y.mH).div_(y.shape[2])
    least, most = _extremes(covariance)
    if not (least >= POWERS[0] and most <= POWERS[1]):  # or NaN
        power = covariance.diagonal(dim1=1, dim2=2).real
        unusable = ~((power >= POWERS[0]) & (power <= POWERS[1]))
        b, element = (int(v) for v in unusable.nonzero()[0])
        raise SnapshotError(_why_unusable(y[b], element, rows[element], first + b))
    noise = None
    if noise_power is not None:
        power = covariance.diagonal(dim1=1, dim2=2).real
        noise = torch.as_tensor(noise_power, dtype=torch.float64).reshape(-1)
        if noise.numel() not in (1, y.shape[0]) or not (torch.isfinite(noise) & (noise > 0)).all():
            raise SnapshotError(f"noise power must be positive, one value or {y.shape[0]}, found {noise.tolist()[:4]}")
        noise = noise.expand(y.shape[0]).to(y.device)
        ratio = noise / power.mean(1)
        if ((ratio < 1 / NOISE_REACH) | (ratio > NOISE_REACH)).any():
            b = int(ratio.log().abs().argmax())
            level = f"the mean power {float(power[b].mean()):g} of batch {first + b}"
            reach_db = 10 * math.log10(NOISE_REACH)
            raise SnapshotError(f"noise power must be within {reach_db:.0f} dB of {level}, found {float(noise[b]):g}")
    batch = SnapshotBatch(y, covariance, y.shape[2], noise)
    vars(batch).update(powers=(least, most), first=first)
    return batch


def _extremes(covariance: torch.Tensor) -> tuple[float, float]:
    """The least and the greatest entry of the diagonals."""
    power = covariance.resolve_conj().cpu().numpy().diagonal(axis1=1, axis2=2).real
    return float(power.min()), float(power.max())


def _why_unusable(
    y: torch.Tensor,  # shape: (N, L)
    element: int,
    channel: int,
    number: int,
) -> str:
    """What is wrong with an element of an observation, which a channel of the receiver brings."""
    if not torch.isfinite(torch.view_as_real(y)).all():
        return f"snapshots hold NaN or infinite samples (first in batch {number}); remove or repair them"
    if y[element].any():
        low, high = (math.sqrt(p) for p in POWERS)
        found = f"{float(y[element].abs().max()):g} in channel {channel} of batch {number}"
        return f"expected samples of sizes from {low:g} to {high:g}, found {found}; scale the snapshots"
    what = f"channel {channel} is dead (all zeros)" if y.any() else "all samples are zero"
    return f"{what} in batch {number}; check the receiver and its cables"
