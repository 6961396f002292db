"""Bayesian compressive sensing for planar arrays as a method: azimuths and elevations, with the coupling."""

import torch

from doamc.errors import EstimatorError
from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.ml import check_identifiable
from doamc.routes.planar import PlanarOptions, check_planar, planar_bcs
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


class PlanarBayes(Estimator):
    """`planar_bcs` behind the interface of estimators; it searches elevations whether the sector has some or not.

    low_deg, high_deg: elevations searched, those of the sector, else 0 to 80; one side of a flat array, below 90
    degrees. step_deg: of the first grid.
    iterations, rounds, round_iterations: of the block evidence, as in `PlanarOptions`.
    Raises EstimatorError when the array is a line or a number does not fit.
    """

    name = "bcs"
    elevations = True
    summary = "Bayesian compressive sensing on planar arrays: azimuth, elevation and coupling from the block evidence"

    def __init__(
        self,
        spec: ArraySpec | str,
        low_deg: float | None = None,
        high_deg: float | None = None,
        step_deg: float = 6.0,
        iterations: int = 60,
        rounds: int = 7,
        round_iterations: int = 12,
    ) -> None:
        super().__init__(spec)
        if not step_deg > 0 or min(iterations, rounds, round_iterations) < 1:
            raise EstimatorError(
                "expected step_deg > 0 and iterations, rounds and round_iterations of at least 1, found "
                f"{step_deg}, {iterations}, {rounds}, {round_iterations}"
            )
        low, high = self.spec.elevation_deg or (0.0, 80.0)
        self.elevation_deg = (low if low_deg is None else low_deg, high if high_deg is None else high_deg)
        check_planar(self.spec, self.elevation_deg)
        self.options = PlanarOptions(step_deg, iterations, rounds, round_iterations)

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Azimuths, elevations, powers, coupling and noise; no error bars.

        Raises EstimatorError when L <= P and the noise power is not given.
        """
        check_identifiable(batch, n_sources)
        e = planar_bcs(self.spec, batch, n_sources, self.elevation_deg, self.options)
        count = torch.full((batch.size,), n_sources)
        none = torch.full_like(e.azimuth, torch.nan)
        return Estimates(e.azimuth, none, e.power, e.coupling, e.noise_power, count, elevation=e.elevation)
