"""One estimate as views draw it: arrays, with NaN for what is not known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import PublishError
from doamc.estimates.border import MAX_ELEMENTS, MAX_SOURCES
from doamc.estimates.orientation import heading_of
from doamc.estimates.truth import coupling_matrix, message_time
from doamc.protocol import ESTIMATE_SCHEMA
from doamc.text import one_line
from doamc.views.told import number, reading_of

#: places of which a view shows no more
MAX_MODES = 16


@dataclass(frozen=True)
class Mode:
    """Where the directions of all sources may be, too: its share of the probability, and directions (P,) there."""

    share: float
    azimuth_deg: NDArray[np.float64]
    elevation_deg: NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """What a view shows of an estimate.

    seq: its number. time_s: stream time of its first snapshot, Unix time where the stream has none. array, method:
    names. azimuth_deg, std_deg, power_db: (P,), NaN where unknown. coupling: (N, N) complex, or None. latency_ms:
    ``buffer``, ``inference``, ``total``, NaN where unknown. dropped: batches dropped so far. heading_deg: true bearing
    of the array's +x axis, None where it is not told. doubt: why the estimate may be wrong, as far as can be told,
    where the batch does not fit the model; else None. elevation_deg, elevation_std_deg: (P,), None where none is told.
    elevation_correlation: (P,), of the errors of both angles, None where none is told. modes: the places where the
    directions may be, the most probable first, of estimates with elevations.
    model: what the estimate takes into account that the specification does not say, empty for nothing. left_out:
    snapshots that were left out.
    """

    seq: int
    time_s: float
    array: str
    method: str
    azimuth_deg: NDArray[np.float64]
    std_deg: NDArray[np.float64]
    power_db: NDArray[np.float64]
    coupling: NDArray[np.complex128] | None
    latency_ms: dict[str, float]
    dropped: int
    heading_deg: float | None = None
    doubt: str | None = None
    elevation_deg: NDArray[np.float64] | None = None
    elevation_std_deg: NDArray[np.float64] | None = None
    modes: tuple[Mode, ...] = ()
    elevation_correlation: NDArray[np.float64] | None = None
    model: str = ""
    left_out: int = 0

    @property
    def warning(self) -> str:
        """What a view says of an estimate whose batch does not fit the model; empty where it does."""
        if self.doubt is None:
            return ""
        return "doubtful: does not fit the model" if self.doubt == "unknown" else f"doubtful: {self.doubt}"

    @property
    def remark(self) -> str:
        """What a view says of an estimate that is under more than the specification's model; empty for others."""
        left_out = f"{self.left_out} snapshot{'s' if self.left_out > 1 else ''} left out" if self.left_out else ""
        parts = [words for words in (self.model, left_out) if words]
        return f"estimated with {', '.join(parts)}" if parts else ""


def read_estimate(message: dict[str, Any]) -> Reading:
    """Reading of a message ``doamc.estimate/1``, from JSON or from GNU Radio.

    Raises PublishError when it is no such message, a number is none, or it has more sources or elements than a message
    may have.
    """
    reading = reading_of(message, f"an estimate ({ESTIMATE_SCHEMA})", _estimate)
    coupling = reading.coupling
    square = coupling is None or (coupling.ndim == 2 and coupling.shape[0] == coupling.shape[1])
    numbers = [*reading.azimuth_deg, reading.time_s, reading.heading_deg or 0.0]
    if not square or not all(map(math.isfinite, numbers)):
        raise PublishError("expected finite azimuths, time and heading and a square coupling matrix, found others")
    return reading


def _estimate(message: dict[str, Any]) -> Reading:
    if len(message["sources"] or ()) > MAX_SOURCES or len((message["coupling"] or {"re": ()})["re"]) > MAX_ELEMENTS:
        raise ValueError(f"more than {MAX_SOURCES} sources or {MAX_ELEMENTS} elements")
    azimuth, std, power = (
        np.array([[number(s[k]) for k in ("azimuth_deg", "std_deg", "power_db")] for s in message["sources"] or ()])
        .reshape(-1, 3)
        .T
    )
    coupling = coupling_matrix(message)
    elevation, elevation_std, tied = (
        _column(message["sources"] or (), f"elevation_{name}") for name in ("deg", "std_deg", "correlation")
    )
    latency = message["latency_ms"] or {}
    return Reading(
        int(message["seq"]), message_time(message), str(message["array"]), str(message["method"]),
        azimuth, std, power, coupling, {k: number(latency.get(k)) for k in ("buffer", "inference", "total")},
        int(message["dropped_batches"]), heading_of(message), _doubt(message.get("fit")),
        elevation_deg=elevation, elevation_std_deg=elevation_std, modes=_modes(message.get("modes") or ()),
        elevation_correlation=tied, model=_model(message.get("fit")),
        left_out=int(message.get("snapshots_left_out") or 0),
    )  # fmt: skip


def _doubt(fit: Any) -> str | None:
    """Cause of a bad fit; None where the fit is good or not told."""
    if not isinstance(fit, dict) or not fit.get("doubtful"):
        return None
    return one_line(fit.get("cause") or "unknown", 80)


def _modes(told: Sequence[dict[str, Any]]) -> tuple[Mode, ...]:
    """Those that tell elevations."""
    modes = []
    for mode in told[:MAX_MODES]:
        azimuth, elevation = (
            np.array([number(a) for a in mode.get(k) or ()]) for k in ("azimuth_deg", "elevation_deg")
        )
        if 0 < len(azimuth) == len(elevation) <= MAX_SOURCES:
            modes.append(Mode(number(mode.get("share")), azimuth, elevation))
    return tuple(modes)


def _model(fit: Any) -> str:
    """What an estimate takes into account; empty where nothing is told."""
    return one_line(fit["model"], 80) if isinstance(fit, dict) and isinstance(fit.get("model"), str) else ""


def _column(sources: Sequence[dict[str, Any]], name: str) -> NDArray[np.float64] | None:
    """What sources tell under a name that not every message has, (P,); None where none does."""
    if not any(name in s for s in sources):
        return None
    return np.array([number(s.get(name)) for s in sources])
