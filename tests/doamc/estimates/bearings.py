"""Messages of one or two sources, and a station."""

from doamc.estimates import make_message
from doamc.estimates.bearing import Station

STATION = Station("roof", 48.1372, 11.5756, heading_deg=90.0, speed=3.5)


def message(azimuth_deg, std_deg=None, power_db=None, seq=0, **changes):
    about = {
        "time": 1790000000.123, "sample_time": 0.5, "frequency_hz": 433.92e6, "array": "uca5", "method": "ml",
        "noise_power": 0.1, "coupling": None, "snapshots": 256, "dropped_batches": 0,
        "latency_ms": {"buffer": 4.0, "inference": 11.0, "total": 15.0},
    }  # fmt: skip
    return make_message(seq=seq, azimuth_deg=azimuth_deg, std_deg=std_deg, power_db=power_db, **(about | changes))
