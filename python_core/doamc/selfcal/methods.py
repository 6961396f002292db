"""Method ``self-calibrating``: estimates that become better while they run, since the coupling is remembered."""

import math
import time
import weakref
from pathlib import Path
from typing import Any

import torch

from doamc.angles import wrap_rad
from doamc.coupling.angular import extended_steering
from doamc.errors import DoamcError, EstimatorError
from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.intervals import MOST_MODES, NORMAL_90
from doamc.estimators.joined import join
from doamc.files.atomic import check_output
from doamc.selfcal.belief import response_matrix
from doamc.selfcal.files import load_belief, save_belief
from doamc.selfcal.horizon import Elevations
from doamc.selfcal.joint import Fit
from doamc.selfcal.observation import Observation, observe
from doamc.selfcal.tracker import CouplingTracker, Update
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

SAVE_S = 10.0  #: least time between two writings of the calibration while it runs


class SelfCalibrating(Estimator):
    """Observations are taken in their order, as received one after the other; the coupling is carried along.

    calibration: file that is read where it exists, and written while the estimator runs and when it ends.
    memory_batches: time constant of forgetting. spread_db: how far the coupling may lie outside the array's family,
    as in `start_family`.
    channel_db, channel_deg: standard deviations of gains and phases behind the antennas, as in `start_family`.
    Raises CalibrationError when the file is of another array, EstimatorError when a number is out of range.
    """

    name = "self-calibrating"
    elevations = True
    summary = "the coupling's posterior carried from batch to batch: calibrates the array while it runs"
    fits_powers = True
    sequential = True  #: the order of observations matters

    def __init__(
        self,
        spec: ArraySpec | str,
        calibration: str | None = None,
        memory_batches: float = 3000.0,
        spread_db: float | None = None,
        channel_db: float = 0.0,
        channel_deg: float = 0.0,
    ) -> None:
        super().__init__(spec)
        if not memory_batches >= 1 or not math.isfinite(spread_db or 0.0) or not min(channel_db, channel_deg) >= 0:
            raise EstimatorError(
                "expected memory_batches >= 1, a finite spread_db, and channel_db and channel_deg >= 0, found "
                f"{memory_batches}, {spread_db}, {channel_db} and {channel_deg}"
            )
        self.tracker = CouplingTracker(self.spec, memory_batches, spread_db, channel_db, channel_deg)
        self._file = None if calibration is None else Path(calibration)
        self._saved = time.monotonic()
        if self._file is not None:
            check_output(self._file)
            if self._file.exists():
                belief, record = load_belief(self._file, self.spec)
                self.tracker.resume(belief, record)
            weakref.finalize(self, _save_quietly, self._file, self.spec, self.tracker)

    def save(self, path: str | Path) -> None:
        """Write the calibration. Raises RecordingError when the file cannot be written."""
        save_belief(path, self.spec, self.tracker.best.belief, self.tracker.record())

    def close(self) -> None:
        """Write the calibration where a file was named; the end of the program does so, too."""
        if self._file is not None and self.tracker.batches:
            self.save(self._file)

    def state(self) -> dict[str, Any]:
        """How far the calibration is: counts of batches, and the r.m.s. deviation of the coupling's entries."""
        deviation = self.tracker.best.belief.coupling_std
        return self.tracker.record() | {"coupling_std": float(deviation.square().mean().sqrt())}

    @torch.no_grad()
    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Estimates of observations, one after the other, each from what it and earlier ones taught.

        Raises EstimatorError when L <= P.
        """
        if batch.n_snapshots <= n_sources:
            raise EstimatorError(
                f"self-calibrating needs more snapshots than sources, found L = {batch.n_snapshots} for P = {n_sources}"
            )
        parts = []
        for item in range(batch.size):
            observed = observe(batch, item, n_sources)
            parts.append(self._estimates(observed, self.tracker.update(observed)))
        if self._file is not None and time.monotonic() > self._saved + SAVE_S:
            self.save(self._file)
            self._saved = time.monotonic()
        return join(parts)

    def _estimates(self, observed: Observation, update: Update) -> Estimates:
        fit, belief = update.fit, self.tracker.best.belief
        azimuth = fit.azimuth[:MOST_MODES]
        if self.spec.full_circle:
            azimuth = wrap_rad(azimuth, self.spec.sector_rad[0])
        azimuth, order = azimuth.sort(1)
        missing = (0, 0, 0, MOST_MODES - len(azimuth))
        places = torch.nn.functional.pad(azimuth, missing, value=math.nan)
        stds = torch.nn.functional.pad(fit.std[:MOST_MODES].gather(1, order), missing, value=math.nan)
        first, std = places[0], stds[0]
        half = NORMAL_90 * std
        e = response_matrix(self.tracker.start, fit.z)
        tilt, tilt_std, tilt_interval, tilts = self._elevations(fit, order, missing)
        blocks = e.shape[1] // e.shape[0]
        at = 0.0 if fit.elevation is None else fit.elevation[0].gather(0, order[0])
        return Estimates(
            azimuth=first[None],
            std=std[None],
            power=(fit.log_power[order[0]].exp() * observed.level)[None],
            coupling=belief.coupling[None],
            noise_power=torch.tensor([math.exp(fit.log_noise) * observed.level], dtype=torch.float64),
            n_sources=torch.tensor([observed.n_sources]),
            interval=torch.stack([first - half, first + half], -1)[None],
            coupling_std=belief.coupling_std[None],
            mode_azimuth=places[None],
            mode_std=stds[None],
            mode_share=torch.nn.functional.pad(fit.share[:MOST_MODES], missing[2:])[None],
            snapshots=torch.tensor([observed.snapshots], dtype=torch.float64),
            response=(e @ extended_steering(self.spec.positions, first, blocks, at))[None],
            elevation=None if tilt is None else tilt[None],
            elevation_std=None if tilt_std is None else tilt_std[None],
            elevation_interval=None if tilt_interval is None else tilt_interval[None],
            mode_elevation=None if tilts is None else tilts[None],
        )

    @staticmethod
    def _elevations(
        fit: Fit, order: torch.Tensor, missing: tuple[int, int, int, int]
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        """Of the heaviest mode elevations (P,), deviations and 90 % (P, 2), and the elevations of all modes (M, P).

        None where there are none. Modes of a flat array are told by their medians.
        """
        if fit.elevation is None or fit.elevation_std is None:
            return None, None, None, None
        if fit.law is None:
            half = NORMAL_90 * fit.elevation_std
            law = Elevations(
                fit.elevation, fit.elevation_std, torch.stack([fit.elevation - half, fit.elevation + half], -1)
            )
        else:
            law = fit.law
        some = law.first(len(order)).ordered(order)
        return (
            some.median[0],
            some.std[0],
            some.interval[0],
            torch.nn.functional.pad(some.median, missing, value=math.nan),
        )


def _save_quietly(path: Path, spec: ArraySpec, tracker: CouplingTracker) -> None:
    """Write at the end of the program, where nobody is left to report an error to."""
    if tracker.batches:
        try:
            save_belief(path, spec, tracker.best.belief, tracker.record())
        except DoamcError:
            pass
