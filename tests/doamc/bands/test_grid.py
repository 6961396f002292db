"""Bins and slices, and how many independent snapshots they hold."""

import numpy as np
import pytest

from doamc.bands.grid import BandGrid
from doamc.bands.spectra import SpectralCovariances
from doamc.errors import SnapshotError
from tests.doamc.bands.captures import noise


def test_the_usual_band_has_bins_and_slices_as_asked():
    g = BandGrid(2.4e6, 300e6)
    assert (g.n_bins, g.bin_hz, g.n_fft) == (384, 6250.0, 1536)
    assert abs(g.slice_s - 0.02) < 0.0003  # half a hop of 0.32 ms
    assert g.edge_hz(0) == 298.8e6 and g.edge_hz(4 * 384) == 301.2e6
    assert g.part_frames.sum() == g.n_frames


@pytest.mark.parametrize("rate_hz", [1e6, 2.048e6, 2.56e6, 20e6, 61.44e6])
def test_other_rates_have_fast_transforms_of_nearly_the_bins_asked_for(rate_hz):
    g = BandGrid(rate_hz)
    assert abs(g.bin_hz / 6250 - 1) < 0.03 and abs(g.slice_s / 0.02 - 1) < 0.02
    left = g.n_fft
    for p in (2, 3, 5):
        while left % p == 0:
            left //= p
    assert left == 1


def test_bandwidth_times_time_is_the_number_of_independent_snapshots_of_a_wide_long_stretch():
    """Half-overlapping Hann windows lose 5 % of it (the sum of |rho|^2 over all lags, Welch 1967)."""
    g = BandGrid(2.4e6)
    n = g.independent(4 * 384, g.n_frames * 50)
    assert 0.93 < n / (2.4e6 * 50 * g.slice_s) < 0.97


@pytest.mark.parametrize("bins", [1, 3])
def test_the_number_is_that_of_the_variance_of_the_covariance(bins):
    """Var of an entry off the diagonal is 1 / L: measured on noise over bins and slices."""
    g = BandGrid(240e3)
    made = SpectralCovariances(g, 2)
    entries = []
    for band in made.push(noise(2, 60 * g.slice_samples)):
        c = band.covariance[:, 0, 1].numpy()
        whole = len(c) // bins * bins
        entries.append(c[:whole].reshape(-1, bins).mean(1))
    measured = 1 / np.mean(np.abs(np.concatenate(entries)) ** 2)
    # 60 x 40 / bins values, of which neighbours are nearly independent: 5 % is three standard deviations and more
    assert abs(measured / g.independent(4 * bins, g.n_frames) - 1) < 0.08


def test_what_cannot_be_divided_is_refused_with_what_to_do():
    with pytest.raises(SnapshotError, match="--resolution"):
        BandGrid(2.4e6, asked_bin_hz=1.0)
    with pytest.raises(SnapshotError, match="--slice"):
        BandGrid(2.4e6, asked_slice_s=1e-4)
