"""A run of an array that hears elevations, as a log: one emitter climbs, one stands."""

import numpy as np

from doamc.estimates import Recorder
from tests.doamc.figures.runs import estimate

#: errors of azimuth and elevation in turn, degrees
ERRORS = np.array([[0.4 * (-1) ** k, 0.1 * k - 0.5] for k in range(10)])


def sky_at(time_s):
    """Azimuths and elevations."""
    return np.array([355.0 + 2.0 * time_s, 100.0]), np.array([30.0 + 4.0 * time_s, 60.0])


def write_sky_log(path, truth=True, **changes):
    """Ten estimates a second apart; both emitters have the same errors."""
    with Recorder(path) as recorder:
        for k in range(10):
            azimuth, elevation = sky_at(float(k))
            if truth:
                about = {"schema": "doamc.truth/1", "sample_time": float(k), "array": "x3", "noise_power": 0.1}
                about |= {"azimuth_deg": (azimuth % 360.0).tolist(), "elevation_deg": elevation.tolist()}
                coupling = {"re": np.eye(3).tolist(), "im": np.zeros((3, 3)).tolist()}
                recorder.write(about | {"power_db": [0.0, 0.0], "coupling": coupling})
            found = (azimuth + ERRORS[k, 0]) % 360.0
            order = np.argsort(found)
            told = {
                "azimuth_deg": found[order], "elevation_deg": (elevation + ERRORS[k, 1])[order],
                "std_deg": np.array([0.5, 0.5]), "elevation_std_deg": np.array([0.3, 0.3]),
            }  # fmt: skip
            recorder.write(estimate(k, **(told | changes)))
    return path
