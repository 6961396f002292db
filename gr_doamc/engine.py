"""The torch side of `doa_estimator`: one batch of samples in, the figures of an estimate out. Imports torch."""

import math
from typing import Any

import numpy as np
import torch

from doamc.errors import EstimatorError
from doamc.estimators import make_estimator
from doamc.estimators.order import source_number
from doamc.snapshots import SnapshotBatch, make_batch
from doamc.spec import load_spec


class Engine:
    """One estimator for one array; arguments as in `gr_doamc.doa_estimator`.

    Raises SpecificationError, EstimatorError or CheckpointError when they do not fit each other.
    """

    def __init__(self, array: str, method: str, sources: int | str, noise_power: float | None) -> None:
        self.spec = load_spec(array)
        n = self.spec.n_elements
        if sources != "auto" and not (isinstance(sources, int) and 1 <= sources < n):
            raise EstimatorError(f"sources must be 'auto' or lie in 1..{n - 1} for {self.spec.name}, found {sources!r}")
        if noise_power is not None and not (math.isfinite(noise_power) and noise_power > 0):
            raise EstimatorError(f"noise_power must be positive, or None when it is unknown, found {noise_power}")
        self.method, self.sources, self.noise_power = method, sources, noise_power
        self._estimator = make_estimator(method, self.spec)

    def estimate(self, snapshots: np.ndarray) -> dict[str, Any]:
        """Estimate of snapshots (N, L) complex: the keyword arguments of `make_message` that concern it.

        Raises SnapshotError or EstimatorError when they cannot be used.
        """
        with torch.no_grad():
            batch = make_batch(torch.from_numpy(snapshots), self.spec.n_elements, self.noise_power)
            count = self._count(batch)
            if count == 0:
                return {
                    "azimuth_deg": [], "std_deg": None, "power_db": None, "coupling": None,
                    "noise_power": float(batch.covariance[0].diagonal().real.mean()),
                }  # fmt: skip
            result = self._estimator(batch, count)
            return {
                "azimuth_deg": torch.rad2deg(result.azimuth[0]).cpu().numpy(),
                "std_deg": torch.rad2deg(result.std[0]).cpu().numpy(),
                "power_db": (10 * torch.log10(result.power[0])).cpu().numpy(),
                "coupling": result.coupling[0].cpu().numpy(),
                "noise_power": float(result.noise_power[0]),
            }

    def _count(self, batch: SnapshotBatch) -> int:
        if self.sources != "auto":
            return int(self.sources)
        return min(int(source_number(batch.covariance, batch.n_snapshots)[0]), batch.n_elements - 1)
