"""The KrakenSDR's JSON POST ("Kraken Pro")."""

from typing import Any

from doamc.estimates.bearing import Bearing, Station


def json_body(bearing: Bearing, station: Station, adc_overdrive: bool = False) -> dict[str, Any]:
    """The object that is posted; ``radioBearing`` is clockwise from the array's axis, ``gpsBearing`` its heading.

    adc_overdrive: whether a converter was overdriven meanwhile.
    """
    return {
        "station_id": station.station_id,
        "tStamp": bearing.time_ms,
        "gps_timestamp": bearing.time_ms,
        "latitude": f"{station.latitude:.6f}",
        "longitude": f"{station.longitude:.6f}",
        "gpsBearing": f"{station.heading_deg:.1f}",
        "speed": f"{station.speed:.1f}",
        "radioBearing": f"{bearing.clockwise_deg:.2f}",
        "conf": f"{bearing.confidence_db:.2f}",
        "power": f"{bearing.power_db:.1f}",
        "freq": round(bearing.frequency_hz),
        "antType": bearing.antenna,
        "latency": round(bearing.latency_ms),
        "processing_time": round(bearing.processing_ms),
        "doaArray": ",".join(f"{v:.2f}" for v in bearing.spectrum_db),
        "adc_overdrive": adc_overdrive,
        "num_corr_sources": bearing.n_sources,
        "snr_db": None if bearing.snr_db is None else round(bearing.snr_db, 1),
    }
