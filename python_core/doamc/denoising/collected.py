"""Snapshots collected on the air as the data that an eps-net is trained on, in place of an array's prior."""

from collections.abc import Iterable

import numpy as np
import torch

from doamc.denoising.wiener import subspace_wiener
from doamc.errors import SnapshotError
from doamc.estimators.order import source_number
from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.noise_level import noise_power_from_eigenvalues

#: share of the batches that is kept for validation, and at least so many of them; seeds below this one draw from there
HELD_OUT, FEWEST, VALIDATION_SEEDS = 0.1, 2, 1000


def cleaned(batch: SnapshotBatch) -> torch.Tensor:
    """The snapshots of a batch without what noise its own subspace tells, at unit mean power a batch: (B, N, L).

    The number of sources is that of minimum description length, the filter that of the signal subspace; P / N of the
    noise stays. Batches of L < 2 N snapshots, or in which no source is found, are taken as they are.
    """
    y = batch.snapshots
    most = batch.n_elements - 1
    if batch.n_snapshots >= 2 * batch.n_elements:
        count = source_number(batch.covariance, batch.n_snapshots).clamp_max(most)
        y = y.clone()
        for p in (int(v) for v in count.unique() if v > 0):
            some = count == p
            noise = noise_power_from_eigenvalues(batch.covariance[some], p)
            y[some] = subspace_wiener(batch.covariance[some], p, noise) @ y[some]
    return y / y.abs().square().mean((1, 2), keepdim=True).sqrt()


class CollectedSnapshots:
    """Draws single snapshots (M, N) from batches, each turned by a random phase, which no receiver knows.

    Seeds below 1000 draw from a tenth of the batches that the others never see.
    Raises SnapshotError for fewer than two batches.
    """

    def __init__(self, batches: Iterable[SnapshotBatch]) -> None:
        parts = [cleaned(batch).to(torch.complex64) for batch in batches]
        size = sum(len(part) for part in parts)
        if size < FEWEST:
            raise SnapshotError(f"expected at least {FEWEST} batches to learn from, found {size}; see --snapshots")
        each = [row.mT for part in parts for row in part]  # (L, N) of each batch
        order = np.random.default_rng(0).permutation(size)
        held = max(1, round(HELD_OUT * size))
        self.held_out, self.training = (torch.cat([each[k] for k in chosen]) for chosen in (order[:held], order[held:]))

    def __len__(self) -> int:
        """Number of snapshots to learn from."""
        return len(self.training)

    def __call__(self, count: int, seed: int) -> torch.Tensor:
        """Snapshots (count, N); the same seed gives the same ones."""
        pool = self.held_out if seed < VALIDATION_SEEDS else self.training
        generator = torch.Generator().manual_seed(seed)
        rows = pool[torch.randint(len(pool), (count,), generator=generator)]
        angle = 2 * torch.pi * torch.rand(count, 1, generator=generator, dtype=torch.float32)
        return rows * torch.polar(torch.ones_like(angle), angle)
