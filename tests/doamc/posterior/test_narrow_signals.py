"""Signals much narrower than the sample rate: few values of them, in white noise that has one for every snapshot.

Where a bearing lies is told by the correlation of signal and noise, of which every snapshot counts; the correlation
between signals is that of few values, and must not bend the coupling.
"""

import numpy as np
import pytest
import torch

from doamc.estimators import make_estimator
from doamc.scenes import draw_scene
from doamc.snapshots import make_batch
from doamc.spec import load_spec

SCENES, SNAPSHOTS = 40, 256


def narrow(rng: np.random.Generator, n_sources: int, width: float) -> np.ndarray:
    """Normal signals (P, L) of unit power, all about 0 Hz, that fill a share of the band."""
    size = 4 * SNAPSHOTS
    white = rng.standard_normal((n_sources, size)) + 1j * rng.standard_normal((n_sources, size))
    x = np.fft.ifft(np.fft.fft(white) * (np.abs(np.fft.fftfreq(size)) < width / 2))[:, SNAPSHOTS : 2 * SNAPSHOTS]
    return x / np.sqrt((np.abs(x) ** 2).mean(1, keepdims=True))


def errors(array: str, n_sources: int, snr_db: float, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Errors (B, P) of azimuths in deg, and these over their standard deviations."""
    spec, rng = load_spec(array), np.random.default_rng(6)
    scene = draw_scene(spec, SCENES, n_sources, snr_db, torch.Generator().manual_seed(6))
    v = spec.family.response(scene.theta, spec.positions, scene.azimuth).numpy()
    signal = np.stack([narrow(rng, n_sources, width) for _ in range(SCENES)])
    size = (SCENES, spec.n_elements, SNAPSHOTS)
    noise = (rng.standard_normal(size) + 1j * rng.standard_normal(size)) / np.sqrt(2)
    y = v @ (scene.power.numpy()[..., None] ** 0.5 * signal) + scene.noise_power.numpy()[:, None, None] ** 0.5 * noise
    e = make_estimator("posterior", spec)(make_batch(torch.from_numpy(y)), n_sources)
    error = (e.azimuth - scene.azimuth).numpy()
    return np.rad2deg(error), error / e.std.numpy()


@pytest.mark.parametrize(
    ("n_sources", "snr_db", "width", "rmse_deg"),
    [(1, 5.0, 0.02, 0.25), (2, 15.0, 0.1, 0.13), (2, 15.0, 0.02, 0.13), (3, 10.0, 0.1, 0.25)],
)
def test_errors_are_those_of_as_many_white_snapshots_and_intervals_hold(n_sources, snr_db, width, rmse_deg):
    """Counted as few snapshots, intervals were two to ten times too wide; as all of them without correlation, the
    errors up to four times those of white signals. Mean squares over 40 to 120 errors: four standard errors."""
    error, z = errors("ula8", n_sources, snr_db, width)
    assert np.sqrt((error**2).mean()) < rmse_deg
    assert (z**2).mean() == pytest.approx(1.0, abs=4 * np.sqrt(2 / SCENES))
    assert 0.8 < (np.abs(z) < 1.645).mean() < 0.99
