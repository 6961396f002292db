"""What a simulated band holds, as a TOML file tells it: emitters, antennas, receivers.

frequency_hz = 300e6        # of the middle of the band
sample_rate_hz = 2.4e6
duration_s = 0.5
seed = 1

[antenna]                   # left out: the array's own coupling family, one draw of it
physics = true              # solve the array's [antenna] by NEC2
rough = true                # deviations of a rough builder; false: of a careful one

[receiver]                  # all may be left out
offset_db = 10.0            # power of the converters' offset over the noise
image_db = -35.0            # of images, over their signals
gain_db = 0.3               # r.m.s. difference of the channels' gains, noise included
slope_db = 3.0              # by which the band falls off from its middle to its edges

[[emitters]]
kind = "nfm"                # cw, nfm, wfm, 4fsk, 4fsk-tdma, qpsk, ofdm
frequency_hz = 299.8e6
bandwidth_hz = 12.5e3
azimuth_deg = 30.0
snr_db = 15.0               # in its bandwidth at one element, while it is on
on_s = [[0.0, 0.5]]         # left out: all the time
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from doamc.errors import SpecificationError
from doamc.files.small_file import read_toml
from doamc.spec import checks
from doamc.text import shown

MOST_EMITTERS = 256


@dataclass(frozen=True)
class Emitter:
    """One emitter; on_s: intervals in s, ascending."""

    kind: str
    frequency_hz: float
    bandwidth_hz: float
    azimuth_deg: float
    snr_db: float
    on_s: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class BandScene:
    """A band; physics, rough: of the antennas; offset_db, image_db None: none."""

    frequency_hz: float
    sample_rate_hz: float
    duration_s: float
    seed: int
    emitters: tuple[Emitter, ...]
    physics: bool = False
    rough: bool = False
    offset_db: float | None = None
    image_db: float | None = None
    gain_db: float = 0.0
    slope_db: float = 0.0

    @property
    def n_samples(self) -> int:
        """Samples of each channel."""
        return max(1, round(self.duration_s * self.sample_rate_hz))


def read_band_scene(path: str | Path) -> BandScene:
    """Scene of a TOML file. Raises SpecificationError that names the wrong entry."""
    table = read_toml(path, SpecificationError)
    try:
        return parse_band_scene(table)
    except SpecificationError as error:
        raise SpecificationError(f"{path}: {error}") from error


def parse_band_scene(table: dict[str, Any]) -> BandScene:
    """Scene of a parsed table."""
    top = {k: v for k, v in table.items() if k not in ("antenna", "receiver", "emitters")}
    own = checks.section({"top": top}, "top", "frequency_hz", "sample_rate_hz", "duration_s",
                         known={"frequency_hz", "sample_rate_hz", "duration_s", "seed"})  # fmt: skip
    antenna = checks.section(table, "antenna", known={"physics", "rough"})
    receiver = checks.section(table, "receiver", known={"offset_db", "image_db", "gain_db", "slope_db"})
    for key, value in antenna.items():
        if not isinstance(value, bool):
            raise SpecificationError(f"[antenna] {key} must be true or false, found {shown(value)}")
    emitters = table.get("emitters", [])
    if not isinstance(emitters, list) or len(emitters) > MOST_EMITTERS:
        raise SpecificationError(f"expected at most {MOST_EMITTERS} tables [[emitters]], found {shown(emitters)}")
    rate = checks.number(own, "top", "sample_rate_hz", 0.0, 1e3, 1e9)
    centre = checks.number(own, "top", "frequency_hz", 0.0, 1.0, 1e12)
    duration = checks.number(own, "top", "duration_s", 0.0, 1e-3, 1e5)

    def level(key: str) -> float | None:
        return checks.number(receiver, "receiver", key, 0.0, -checks.MAX_DB, checks.MAX_DB) if key in receiver else None

    return BandScene(
        centre, rate, duration, checks.whole({"seed": 0} | own, "top", "seed", 0, 2**62),
        tuple(_emitter(e, centre, rate, duration) for e in emitters),
        antenna.get("physics", False), antenna.get("rough", False), level("offset_db"), level("image_db"),
        level("gain_db") or 0.0, level("slope_db") or 0.0,
    )  # fmt: skip


def _emitter(table: Any, centre_hz: float, rate_hz: float, duration_s: float) -> Emitter:
    keys = ("kind", "frequency_hz", "bandwidth_hz", "azimuth_deg", "snr_db")
    e = checks.section({"emitters": table}, "emitters", *keys, known={*keys, "on_s"})
    width = checks.number(e, "emitters", "bandwidth_hz", 0.0, 1.0, rate_hz)
    low, high = centre_hz - (rate_hz - width) / 2, centre_hz + (rate_hz - width) / 2
    on = e.get("on_s", [[0.0, duration_s]])
    if not isinstance(on, list) or not on or not all(checks.is_pair(p) for p in on) or on[0][0] < 0:
        raise SpecificationError(f"[emitters] on_s must be pairs [start, stop] in s, found {shown(on)}")
    if any(a[1] > b[0] for a, b in pairwise(on)):
        raise SpecificationError(f"[emitters] on_s must be in order, without overlap, found {shown(on)}")
    return Emitter(
        str(e["kind"]), checks.number(e, "emitters", "frequency_hz", 0.0, low, high), width,
        checks.number(e, "emitters", "azimuth_deg", 0.0, -checks.MAX_DEGREES, checks.MAX_DEGREES),
        checks.number(e, "emitters", "snr_db", 0.0, -checks.MAX_DB, checks.MAX_DB),
        tuple((float(a), float(b)) for a, b in on),
    )  # fmt: skip
