"""One estimate of a known orientation, which every view and every output must show at the same bearing.

The array's +x axis looks to 97.25 degrees, a little south of east; the strongest emitter stands 30.5 degrees to the
left of that, the other behind the array, almost in the north-west.
"""

from doamc.estimates import make_message

HEADING = 97.25
AZIMUTHS = [30.5, 143.0]
BEARINGS = [66.75, 314.25]
#: central 90 % of the azimuth of the strongest, and of its bearing: the far left of it is the low end
INTERVAL, BEARING_INTERVAL = [28.5, 33.5], [63.75, 68.75]


def message(seq=0, **changes):
    about = {
        "time": 1790000000.125, "sample_time": 0.25, "frequency_hz": 433.92e6, "array": "uca5", "method": "posterior",
        "std_deg": [1.25, 2.0], "power_db": [-3.0, -9.0], "interval_deg": [INTERVAL, [140.0, 146.0]],
        "noise_power": 0.1, "coupling": None, "snapshots": 256, "dropped_batches": 0, "heading_deg": HEADING,
        "latency_ms": {"buffer": 1.0, "inference": 2.0, "total": 3.0},
    }  # fmt: skip
    return make_message(seq=seq, azimuth_deg=AZIMUTHS, **(about | changes))
