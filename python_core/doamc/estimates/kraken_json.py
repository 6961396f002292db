"""The KrakenSDR's JSON ("Kraken Pro"), of which there are two versions."""

from typing import Any

from doamc.estimates.bearing import Bearing, Station


def json_body(bearing: Bearing, station: Station, version: int = 1) -> dict[str, Any]:
    """The object that is posted.

    ``gpsBearing`` is the heading of the array's axis. ``radioBearing`` counts from that axis: counter-clockwise (theta)
    as version 1 posts it, clockwise (360 - theta) as version 2 sends it. ``doaArray`` is counter-clockwise in both.
    version: 1 or 2.
    """
    return {
        "station_id": station.station_id,
        "tStamp": bearing.time_ms,
        "gps_timestamp": bearing.time_ms,
        "latitude": f"{station.latitude:.6f}",
        "longitude": f"{station.longitude:.6f}",
        "gpsBearing": f"{bearing.axis_deg}",
        "speed": f"{station.speed:.1f}",
        "radioBearing": f"{bearing.azimuth_deg if version == 1 else bearing.clockwise_deg:.2f}",
        "conf": f"{bearing.confidence_db:.2f}",
        "power": f"{bearing.power_db:.1f}",
        "freq": round(bearing.frequency_hz),
        "antType": bearing.antenna,
        "latency": round(bearing.latency_ms),
        "processing_time": round(bearing.processing_ms),
        "doaArray": ",".join(f"{v:.2f}" for v in bearing.spectrum_db),
        "adc_overdrive": False,  # no estimate tells it
        "num_corr_sources": bearing.n_sources,
        "snr_db": None if bearing.snr_db is None else round(bearing.snr_db, 1),
    }
