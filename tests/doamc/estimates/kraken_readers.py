"""What readers of the KrakenSDR's formats do with them, written from what those readers and the vendor's writer do.

Nothing here is shared with the writers that are tested. Every reader gives the bearing on the map (degrees clockwise
from north) and where on the map the spectrum peaks; theta is the vendor's word for the counter-clockwise angle from the
array's axis.
"""

import json
from dataclasses import dataclass
from xml.etree import ElementTree


@dataclass
class Seen:
    """Map bearings of the needle and of the peak of the spectrum (None without one), power, confidence, time."""

    bearing: float
    peak: float | None
    power: float
    confidence: float
    time_ms: int
    frequency_hz: float


def df_aggregator(document: bytes, least_power: float = 10.0, least_confidence: int = 10) -> Seen:
    """DF-Aggregator with its default settings: whole confidence, power filter, a DOA that runs the other way."""
    data = ElementTree.fromstring(document)

    def text(path: str) -> str:
        found = data.find(path)
        assert found is not None and found.text
        return found.text

    confidence = int(text("CONF"))  # a decimal point raises: the station is then deactivated and put at 0, 0
    power = float(text("PWR"))
    assert power >= least_power and confidence >= least_confidence, "filtered out"
    bearing = float(text("LOCATION/HEADING")) + (360 - float(text("DOA")))
    bearing -= 360 * (bearing > 359)
    return Seen(bearing, None, power, confidence, int(text("TIME")), 1e6 * float(text("FREQUENCY")))


def kraken_app(line: str) -> Seen:
    """The Kraken App: 377 fields, a clockwise bearing, and a spectrum over theta, counter-clockwise."""
    fields = line.split(", ")
    assert len(fields) == 377
    heading, spectrum = float(fields[10]), [float(v) for v in fields[17:]]
    theta = spectrum.index(max(spectrum))
    return Seen(
        (heading + float(fields[1])) % 360, (heading - theta) % 360, float(fields[3]), float(fields[2]),
        int(fields[0]), float(fields[4]),
    )  # fmt: skip


def kraken_pro(body: bytes, version: int) -> Seen:
    """A map client of the JSON: ``radioBearing`` is theta in version 1 and 360 - theta in version 2."""
    table = json.loads(body)
    heading, radio = float(table["gpsBearing"]), float(table["radioBearing"])
    spectrum = [float(v) for v in table["doaArray"].split(",")]
    assert len(spectrum) == 360
    theta = spectrum.index(max(spectrum))
    return Seen(
        (heading + (-radio if version == 1 else radio)) % 360, (heading - theta) % 360, float(table["power"]),
        float(table["conf"]), int(table["tStamp"]), float(table["freq"]),
    )  # fmt: skip
