"""Estimates of observations that hold nothing but noise."""

import torch

from doamc.estimators.estimates import Estimates
from doamc.snapshots.batch import SnapshotBatch


def no_source(batch: SnapshotBatch) -> Estimates:
    """No source, hence nothing to learn the coupling from."""
    power = batch.covariance.diagonal(dim1=1, dim2=2).real.mean(1)
    none = torch.full((batch.size, 0), torch.nan, dtype=torch.float64)
    return Estimates(
        azimuth=none, std=none, power=none,
        coupling=torch.full_like(batch.covariance, torch.nan + 1j * torch.nan),
        noise_power=power if batch.noise_power is None else batch.noise_power,
        n_sources=torch.zeros(batch.size, dtype=torch.int64),
    )  # fmt: skip
