"""Messages of a band as a `signal_finder` sends them."""

import numpy as np

LOW_HZ, STEP_HZ = 432.8e6, 6250.0
BINS = 384


def spectrum(seq=0, power_dbfs=None, floor_dbfs=-95.0, **changes):
    """Power of -95 dBFS in all bins unless told otherwise; a floor, or None."""
    power = np.full(BINS, -95.0) if power_dbfs is None else np.asarray(power_dbfs, float)
    return {
        "schema": "doamc.spectrum/1", "seq": seq, "array": "uca5", "start_s": 0.06 * seq, "stop_s": 0.06 * (seq + 1),
        "time": None, "frequency_hz": LOW_HZ + STEP_HZ * len(power) / 2, "sample_rate_hz": STEP_HZ * len(power),
        "low_hz": LOW_HZ, "step_hz": STEP_HZ, "resolution_hz": STEP_HZ, "slices": 3, "dropped_slices": 0,
        "clipped": 0.0, "power_dbfs": power.round(1).tolist(),
        "floor_dbfs": None if floor_dbfs is None else np.full(len(power), floor_dbfs).tolist(),
    } | changes  # fmt: skip


def signal(number, offset_hz=0.0, azimuth_deg=(20.0,), track=None, snr_db=15.0, bandwidth_hz=12.5e3, **changes):
    """A signal `offset_hz` above the lowest of the band, from some directions; track: number of the first emitter."""
    sources = [
        {
            "azimuth_deg": a, "std_deg": 0.5, "interval_deg": [a - 0.8, a + 0.8], "power_db": 0.0,
            "track": {"id": track + i, "azimuth_deg": a, "std_deg": 0.5, "interval_deg": [a - 0.8, a + 0.8]}
            if track else None,
        }
        for i, a in enumerate(azimuth_deg)
    ]  # fmt: skip
    return {
        "schema": "doamc.signal/1", "id": number, "array": "uca5", "method": "posterior",
        "frequency_hz": LOW_HZ + offset_hz, "bandwidth_hz": bandwidth_hz, "start_s": 1.0, "stop_s": 3.5, "time": None,
        "duty": 1.0, "snr_db": snr_db, "snapshots": 1000.0, "n_sources": len(sources), "sources": sources, "fit": None,
        "track": track, "ended": False, "latency_ms": {"buffer": 10.0, "inference": 20.0, "total": 30.0},
    } | changes  # fmt: skip
