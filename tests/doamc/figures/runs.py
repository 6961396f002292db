"""A run whose every figure is known, as a log."""

import numpy as np

from doamc.estimates import Recorder, make_message

COUPLING = np.eye(3) + 0.2j * (np.ones((3, 3)) - np.eye(3))
#: deviations from the truth of the estimates at 0, 1, ..., 9 s; one a source
ERRORS = np.array([[0.1 * (-1) ** k, 0.02 * k] for k in range(10)])


def truth_at(time_s):
    """One emitter passes through the seam of the circle, one stands."""
    return np.array([355.0 + 2.0 * time_s, 100.0])


def estimate(k, **changes):
    azimuth = (truth_at(float(k)) + ERRORS[k]) % 360.0
    order = np.argsort(azimuth)  # as estimators give them
    about = {
        "seq": k + (3 if k > 4 else 0), "time": 1.79e9 + k, "sample_time": float(k), "frequency_hz": None,
        "array": "x3", "method": "ml", "azimuth_deg": azimuth[order], "std_deg": np.array([0.11, 0.1])[order],
        "power_db": None, "noise_power": None, "coupling": COUPLING * (1 + 0.01 * k), "snapshots": 64,
        "latency_ms": {"buffer": 1.0, "inference": 10.0 + k, "total": 11.0 + k}, "dropped_batches": k,
    }  # fmt: skip
    return make_message(**(about | changes))


def truth_message(time_s):
    coupling = {"re": COUPLING.real.tolist(), "im": COUPLING.imag.tolist()}
    return {
        "schema": "doamc.truth/1", "sample_time": time_s, "array": "x3", "power_db": [0.0, 0.0], "noise_power": 0.1,
        "azimuth_deg": [float(a % 360.0) for a in truth_at(time_s)], "coupling": coupling,
    }  # fmt: skip


def write_log(path, truth=True, **changes):
    """The log; its fifth estimate comes late, and three are missing after it."""
    messages = [estimate(k, **changes) for k in (0, 1, 2, 3, 5, 4, 6, 7, 8, 9)]
    with Recorder(path) as recorder:
        recorder.write({"schema": "doamc.status/1"})
        for k in range(10):
            if truth:
                recorder.write(truth_message(float(k)))
        for message in messages:
            recorder.write(message)
    return path
