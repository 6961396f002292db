"""A signal and a spectrum of a band as views draw them: numbers and arrays, with NaN for what is not known."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.protocol import SIGNAL_SCHEMA, SPECTRUM_SCHEMA
from doamc.views.told import T, number, reading_of

MAX_SOURCES, MAX_VALUES = 64, 2048


@dataclass(frozen=True)
class SignalReading:
    """What a view shows of a message of a signal.

    azimuth_deg, std_deg: (P,), of its sources. tracks: (P,) numbers of emitters, 0 where there is none. ended: whether
    nothing more comes of it. heading_deg: true bearing of the array's +x axis, None where it is not told.
    """

    id: int
    frequency_hz: float
    bandwidth_hz: float
    snr_db: float
    stop_s: float
    azimuth_deg: NDArray[np.float64]
    std_deg: NDArray[np.float64]
    tracks: tuple[int, ...]
    ended: bool
    heading_deg: float | None


@dataclass(frozen=True)
class SpectrumReading:
    """What a view shows of a spectrum: levels (B,) in dBFS of bins of step_hz from low_hz on, the floor or None.

    stop_s: stream time of its end.
    """

    low_hz: float
    step_hz: float
    stop_s: float
    power_dbfs: NDArray[np.float32]
    floor_dbfs: NDArray[np.float32] | None


def read_signal(message: dict[str, Any]) -> SignalReading:
    """Reading of a message ``doamc.signal/1``, from JSON or from GNU Radio. Raises PublishError when it is none."""
    return _read(message, SIGNAL_SCHEMA, _signal)


def read_spectrum(message: dict[str, Any]) -> SpectrumReading:
    """Reading of a message ``doamc.spectrum/1``, likewise."""
    return _read(message, SPECTRUM_SCHEMA, _spectrum)


def _signal(message: dict[str, Any]) -> SignalReading:
    sources = message["sources"] or ()
    if len(sources) > MAX_SOURCES:
        raise ValueError(f"more than {MAX_SOURCES} sources")
    azimuth, std = (np.array([number(s[k]) for s in sources], float) for k in ("azimuth_deg", "std_deg"))
    heading = message.get("heading_deg")
    names = ("frequency_hz", "bandwidth_hz", "snr_db", "stop_s")
    frequency, bandwidth, snr, stop = (float(message[k]) for k in names)
    if not all(map(math.isfinite, (frequency, bandwidth, snr, stop, *azimuth, number(heading or 0.0)))):
        raise ValueError("a number that is not finite")
    return SignalReading(
        int(message["id"]), frequency, bandwidth, snr, stop, azimuth, std,
        tuple(int((s.get("track") or {}).get("id", 0)) for s in sources), bool(message.get("ended", True)),
        None if heading is None else float(heading),
    )  # fmt: skip


def _spectrum(message: dict[str, Any]) -> SpectrumReading:
    power, floor = (
        None if message[k] is None else np.asarray(message[k], np.float32) for k in ("power_dbfs", "floor_dbfs")
    )
    low, step, stop = (float(message[k]) for k in ("low_hz", "step_hz", "stop_s"))
    if power is None or power.ndim != 1 or not 1 <= len(power) <= MAX_VALUES:
        raise ValueError(f"expected 1 to {MAX_VALUES} levels")
    if floor is not None and floor.shape != power.shape:
        raise ValueError("a floor of another length")
    known = power if floor is None else np.concatenate([power, floor])
    if not (step > 0 and math.isfinite(low + step + stop) and np.isfinite(known).all()):
        raise ValueError("a number that is not finite")
    return SpectrumReading(low, step, stop, power, floor)


def _read(message: dict[str, Any], schema: str, part: Callable[[dict[str, Any]], T]) -> T:
    def of_schema(message: dict[str, Any]) -> T:
        if message.get("schema") != schema:
            raise ValueError("another schema")
        return part(message)

    return reading_of(message, f"a message {schema}", of_schema)
