"""One bearing of an estimate as map tools want it: an angle, a confidence, and a spectrum of 360 values.

Angles run counter-clockwise from the array's +x axis (element 0 of a circle, the boresight of a line), as everywhere
here and as the KrakenSDR's own ``theta`` does. Its formats write either that or ``360 - theta``; each says which, and
carry the heading of the axis in a field of its own, from which readers compute the bearing on the map.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.angles import bearing_deg, circle_deg, wrap_deg
from doamc.errors import DoamcError, PublishError
from doamc.estimates.orientation import heading_of
from doamc.spec import load_spec

#: the spectrum lies between its highest value and this much below, dB
FLOOR_DB = 30.0
#: width of a source whose deviation is not known, and the least width on a grid of whole degrees
_UNKNOWN_DEG, _LEAST_DEG = 5.0, 1.0
_KINDS = {"ula": "ULA", "uca": "UCA"}


@dataclass(frozen=True)
class Station:
    """Where the array stands.

    station_id: name of printable characters, without commas. latitude, longitude: degrees, north and east.
    heading_deg: true bearing of the array's +x axis, None to take that of the estimates. speed: as the receiver tells
    it. frequency_hz: where an estimate has none.
    Raises PublishError when a value is out of range.
    """

    station_id: str = "doamc"
    latitude: float = 0.0
    longitude: float = 0.0
    heading_deg: float | None = None
    speed: float = 0.0
    frequency_hz: float | None = None

    def __post_init__(self) -> None:
        if not self.station_id.isprintable() or not self.station_id or "," in self.station_id:
            raise PublishError(f"expected a station id of printable characters, no commas, found {self.station_id!r}")
        heading = 0.0 if self.heading_deg is None else self.heading_deg
        if not (abs(self.latitude) <= 90 and abs(self.longitude) <= 180 and 0 <= heading <= 360):
            raise PublishError(
                "expected a latitude within 90, a longitude within 180 and a heading of 0 to 360 degrees, "
                f"found {self.latitude}, {self.longitude} and {heading}"
            )


@dataclass(frozen=True)
class Bearing:
    """A source of an estimate.

    time_ms: Unix time, ms. azimuth_deg: 0 up to 360, to the hundredth that is written. confidence_db: highest value of
    the spectrum over its mean. power_db; snr_db (None where the noise is not known). frequency_hz. antenna: ULA, UCA or
    Custom. latency_ms, processing_ms. spectrum_db: (360,), value k at azimuth k degrees, least value 0. n_sources: of
    the estimate. heading_deg: true bearing of the array's +x axis, None where not known.
    """

    time_ms: int
    azimuth_deg: float
    confidence_db: float
    power_db: float
    snr_db: float | None
    frequency_hz: float
    antenna: str
    latency_ms: float
    processing_ms: float
    spectrum_db: NDArray[np.float64]
    n_sources: int
    heading_deg: float | None = None

    @property
    def clockwise_deg(self) -> float:
        """Degrees clockwise from the array's +x axis, ``360 - theta``: 0 up to 360."""
        return circle(-self.azimuth_deg)

    @property
    def bearing_deg(self) -> float | None:
        """Bearing clockwise from true north, 0 up to 360, to the hundredth; None where the heading is not known."""
        return None if self.heading_deg is None else circle(bearing_deg(self.azimuth_deg, self.heading_deg))

    @property
    def axis_deg(self) -> float:
        """The heading as formats write it that cannot leave it open, to the hundredth: north where it is not known."""
        return 0.0 if self.heading_deg is None else circle(self.heading_deg)


def circle(angle_deg: float) -> float:
    """The angle within 0 up to 360 degrees, to the hundredth that is written."""
    return circle_deg(round(circle_deg(angle_deg), 2))


def bearings(message: dict[str, Any], station: Station, every: bool = False) -> list[Bearing]:
    """Bearings of a message ``doamc.estimate/1``: of the strongest source, or of each; none without sources.

    The heading is that of the station, else that of the message.

    Raises PublishError when neither the message nor the station tells a frequency.
    """
    sources = message["sources"]
    frequency = message["frequency_hz"] if message["frequency_hz"] is not None else station.frequency_hz
    if not sources:
        return []
    if frequency is None:
        raise PublishError("expected a frequency in the estimate, found none; give one with --station-frequency")
    heading = heading_of(message) if station.heading_deg is None else station.heading_deg
    spectrum = spectrum_db(sources)
    linear = 10 ** (spectrum / 10)
    confidence = 10 * math.log10(linear.max() / linear.mean())
    latency, noise = message["latency_ms"], message["noise_power"]
    ordered = sorted(sources, key=lambda s: -_or(s["power_db"], -math.inf))
    return [
        Bearing(
            time_ms=round(1e3 * message["time"]),
            azimuth_deg=circle(source["azimuth_deg"]),
            confidence_db=confidence,
            power_db=_or(source["power_db"], 0.0),
            snr_db=_or(source["power_db"], 0.0) - 10 * math.log10(noise) if noise and noise > 0 else None,
            frequency_hz=float(frequency),
            antenna=antenna_type(message["array"]),
            latency_ms=_or(latency["total"], 0.0),
            processing_ms=_or(latency["inference"], 0.0),
            spectrum_db=spectrum,
            n_sources=len(sources),
            heading_deg=heading,
        )
        for source in (ordered if every else ordered[:1])
    ]


def spectrum_db(sources: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Spectrum made of an estimate, (360,) dB with least value 0: each source a bell of its power and deviation.

    Value k stands for azimuth k degrees. The estimators here give directions with error bars and no spectrum; this one
    says the same in the form that map tools read.
    """
    degrees = np.arange(360.0)
    total = np.zeros(360)
    powers = [_or(source["power_db"], 0.0) for source in sources]
    for source, power in zip(sources, powers, strict=True):
        width = max(_LEAST_DEG, _or(source["std_deg"], _UNKNOWN_DEG))
        away = wrap_deg(degrees - source["azimuth_deg"])
        total += 10 ** ((power - max(powers)) / 10) * np.exp(-0.5 * (away / width) ** 2)
    level = 10 * np.log10(np.maximum(total / total.max(), 10 ** (-FLOOR_DB / 10)))
    return level - level.min()


def antenna_type(array: str) -> str:
    """ULA, UCA, or Custom where the array is neither or not known here."""
    try:
        return _KINDS.get(load_spec(array).geometry["kind"], "Custom")
    except DoamcError:
        return "Custom"


def _or(value: float | None, default: float) -> float:
    return default if value is None else float(value)
