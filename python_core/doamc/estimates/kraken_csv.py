"""The KrakenSDR's CSV line ("Kraken App"): 17 fields, then the 360 values of the spectrum."""

from doamc.estimates.bearing import Bearing, Station

SEPARATOR = ", "


def csv_line(bearing: Bearing, station: Station) -> str:
    """One line of 377 fields, without its end.

    1 Unix ms; 2 degrees clockwise from the array's axis, 360 - theta; 3 confidence dB; 4 power dB; 5 frequency Hz;
    6 antenna type; 7 latency ms; 8 station; 9, 10 latitude, longitude; 11, 12 heading by GPS and by compass (that of
    +x, twice); 13 GPS; 14 to 17 R (reserved); 18 to 377 the spectrum, dB, at theta of 0 to 359 degrees, counter-
    clockwise: it peaks at index 40 beside a bearing of 320.
    """
    head = [
        f"{bearing.time_ms}", f"{bearing.clockwise_deg:.2f}", f"{bearing.confidence_db:.2f}", f"{bearing.power_db:.1f}",
        f"{bearing.frequency_hz:.0f}", bearing.antenna, f"{bearing.latency_ms:.0f}", station.station_id,
        f"{station.latitude:.6f}", f"{station.longitude:.6f}", f"{bearing.axis_deg}",
        f"{bearing.axis_deg}", "GPS", *"RRRR",
    ]  # fmt: skip
    return SEPARATOR.join([*head, *(f"{v:.2f}" for v in bearing.spectrum_db)])


def csv_lines(found: list[Bearing], station: Station) -> bytes:
    """Lines of several bearings, each with its end."""
    return "".join(csv_line(b, station) + "\n" for b in found).encode()
