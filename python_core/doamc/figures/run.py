"""A run as it is drawn: the readings of a log beside the truth."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.angles import great_circle_deg, wrap_deg
from doamc.errors import RecordingError
from doamc.estimates.border import validate
from doamc.estimates.record import read_records
from doamc.estimates.truth import Truth, coupling_error_db, match
from doamc.protocol import ESTIMATE_SCHEMA, TRUTH_SCHEMA
from doamc.views.convention import Convention
from doamc.views.numbering import SourceNumbering
from doamc.views.reading import Reading, read_estimate

#: number of a source that is matched to no true one
STRAY = -1


@dataclass(frozen=True)
class Points:
    """The sources of all readings, one after the other, in order of time.

    time_s: since the first reading. azimuth_deg: beside the truth it goes with, so that no track jumps by a turn.
    std_deg, power_db: NaN where unknown. number: of the emitter, or of the track where no truth is known, `STRAY`
    beyond the truth. error_deg: estimate less truth, NaN where unknown. heading_deg: of +x at that time, unwrapped; NaN
    where not known. elevation_deg, elevation_std_deg, elevation_error_deg: NaN where unknown. distance_deg: angle on
    the sky between estimate and truth, NaN where one of them has no elevation. correlation: of the errors of both
    angles, 0 where it is not told.
    """

    time_s: NDArray[np.float64]
    azimuth_deg: NDArray[np.float64]
    std_deg: NDArray[np.float64]
    power_db: NDArray[np.float64]
    number: NDArray[np.int64]
    error_deg: NDArray[np.float64]
    heading_deg: NDArray[np.float64]
    elevation_deg: NDArray[np.float64]
    elevation_std_deg: NDArray[np.float64]
    elevation_error_deg: NDArray[np.float64]
    distance_deg: NDArray[np.float64]
    correlation: NDArray[np.float64]

    def of(self, number: int) -> "Points":
        """The points of one source."""
        kept = self.number == number
        return Points(**{name: getattr(self, name)[kept] for name in self.__dataclass_fields__})

    @property
    def numbers(self) -> list[int]:
        """Numbers of the sources, ascending."""
        return [int(n) for n in np.unique(self.number)]


class Run:
    """Readings in order of time with the truth beside them.

    convention: of the angles. Attributes: readings; truth; time_s (K,), since the first; heading_deg (K,), of +x,
    unwrapped, or None where one of them does not tell it or azimuths are wished for; points; lost (estimates missing by
    their ``seq``).
    """

    def __init__(self, readings: Iterable[Reading], truth: Truth, convention: Convention | None = None) -> None:
        received = list(readings)
        seqs = sorted({r.seq for r in received})
        self.lost = max(0, seqs[-1] - seqs[0] + 1 - len(seqs)) if seqs else 0
        self.readings = sorted(received, key=lambda r: r.time_s)  # an engine may catch up with an older batch
        self.truth = truth
        self.time_s = np.array([r.time_s for r in self.readings])
        self._origin = self.time_s[0] if len(self.time_s) else 0.0
        self.time_s = self.time_s - self._origin
        shown = [(convention or Convention()).of(r.heading_deg) for r in self.readings]
        known = [c.heading_deg for c in shown if c.is_compass and c.heading_deg is not None]
        told = 0 < len(known) == len(shown)
        self.heading_deg: np.ndarray | None = np.unwrap(known, period=360.0) if told else None
        self.points = self._points()

    def true_azimuth_deg(self) -> NDArray[np.float64]:
        """True directions (K, P) at the times of the readings; P = 0 where none is known."""
        if not self.truth.known:
            return np.zeros((len(self.readings), 0))
        return self.truth.azimuth_deg(self.time_s + self._origin)

    def true_elevation_deg(self) -> NDArray[np.float64] | None:
        """True elevations (K, P) at the times of the readings; None where the truth tells none."""
        return self.truth.elevation_deg(self.time_s + self._origin) if self.truth.known else None

    @property
    def elevated(self) -> bool:
        """Whether any estimate has an elevation."""
        return any(r.elevation_deg is not None for r in self.readings)

    def couplings(self) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
        """Times (M,) and matrices (M, N, N) of the readings with a coupling, those of the newest's size."""
        known = [(t, r.coupling) for t, r in zip(self.time_s, self.readings, strict=True) if r.coupling is not None]
        kept = [(t, c) for t, c in known if c.shape == known[-1][1].shape]
        return np.array([t for t, _ in kept]), np.array([c for _, c in kept])

    def coupling_errors_db(self) -> NDArray[np.float64]:
        """Error (M,) of every coupling over the truth's squared norm, dB; NaN where no truth is known."""
        return np.array([coupling_error_db(c, self.truth.coupling) for c in self.couplings()[1]])

    def _points(self) -> Points:
        rows: list[tuple[Any, ...]] = []
        numbering, true, above = SourceNumbering(), self.true_azimuth_deg(), self.true_elevation_deg()
        headings = np.full(len(self.readings), np.nan) if self.heading_deg is None else self.heading_deg
        for k, r in enumerate(self.readings):
            near, unknown = true[k], np.full(len(r.azimuth_deg), np.nan)
            elevation = unknown if r.elevation_deg is None else r.elevation_deg
            if self.truth.known:
                found = match(r.azimuth_deg, near, r.elevation_deg, None if above is None else above[k])
                pairs = [STRAY if n is None else n for n in found]
            else:
                pairs = numbering.assign(float(self.time_s[k]), r.azimuth_deg)
            spreads = unknown if r.elevation_std_deg is None else r.elevation_std_deg
            ties = np.zeros(len(unknown)) if r.elevation_correlation is None else np.nan_to_num(r.elevation_correlation)
            each = r.azimuth_deg, r.std_deg, r.power_db, elevation, spreads, ties, pairs
            for azimuth, std, power, rise, rise_std, tied, n in zip(*each, strict=True):
                known = self.truth.known and n != STRAY
                error = float(wrap_deg(azimuth - near[n])) if known else np.nan
                shown = near[n] + error if known else azimuth
                over = distance = np.nan
                if known and above is not None:
                    over = rise - above[k, n]
                    distance = float(great_circle_deg(azimuth, rise, near[n], above[k, n]))
                row = self.time_s[k], shown, std, power, n, error, headings[k], rise, rise_std, over, distance, tied
                rows.append(row)
        columns = np.array(rows, dtype=float).reshape(-1, 12).T
        time_s, shown_deg, std_deg, power_db, number, error_deg, heading_deg, *raised = columns
        return Points(time_s, shown_deg, std_deg, power_db, number.astype(np.int64), error_deg, heading_deg, *raised)


def read_run(path: str | Path, truth: Truth | None = None, convention: Convention | None = None) -> Run:
    """Run of a JSON-lines log; its own truth messages count where no truth is given.

    Raises RecordingError when the file cannot be read or holds no estimate, PublishError on an estimate or a truth that
    is none.
    """
    readings, told = [], Truth()
    for message in read_records(path):
        if message["schema"] == ESTIMATE_SCHEMA:
            readings.append(read_estimate(message))
        elif message["schema"] == TRUTH_SCHEMA:
            validate(message)
            told.add(message)
    if not readings:
        raise RecordingError(f"expected estimates ({ESTIMATE_SCHEMA}) in {path}, found none")
    return Run(readings, told if truth is None else truth, convention)
