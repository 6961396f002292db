"""The noise floor: shape over frequency, unequal channels, a band full of signals."""

import torch

from doamc.bands.noise_floor import NoiseFloor, running_median, small_eigenvalues, smooth
from doamc.bands.spectra import SpectralCovariances
from tests.doamc.bands.captures import grid, noise

GAINS = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)


def bands(count, signal=0.0):
    """Slices of three unequal channels, with a wave in every bin of the lower half."""
    g = grid()
    y = noise(3, (count + 1) * g.slice_samples)
    wave = signal * noise(1, y.shape[1], 1)
    half = torch.fft.ifft(torch.fft.fft(torch.from_numpy(wave)) * (torch.fft.fftfreq(y.shape[1]) < 0)).numpy()
    y = GAINS.sqrt().numpy()[:, None].astype("complex64") * (y + half)
    return [b.covariance.to(torch.complex128) for b in SpectralCovariances(g, 3).push(y)]


def test_the_first_slice_tells_the_floor_of_unequal_channels():
    floor = NoiseFloor(grid(), 3)
    floor.begin(bands(1)[0])
    # 40 bins of 136 snapshots tell a channel to 1.4 %; the least eigenvalue of three, its median over 40 bins, to 2 %
    assert float((floor.power / GAINS - 1).abs().max()) < 0.06


def test_a_band_half_full_of_signals_has_a_floor_all_the_same():
    floor, every = NoiseFloor(grid(), 3), bands(20, signal=10.0)
    floor.begin(every[0])
    quiet = (torch.arange(40) >= 22) & (torch.arange(40) < 38)  # the ends of the band are neighbours
    for c in every[1:]:
        floor.update(c, quiet, floor.gain(c, quiet))
    assert float((floor.power / GAINS - 1).abs().max()) < 0.1


def test_the_floor_follows_a_level_that_stays():
    floor, every = NoiseFloor(grid(), 3), bands(60)
    floor.begin(4 * every[0])
    quiet = torch.ones(40, dtype=torch.bool)
    for c in every * 10:
        gain = floor.gain(c, quiet)
        floor.update(c, quiet, gain)
    # 12 s of a step by a factor of 4, followed with a time constant of MEMORY_S / FOLLOWED = 20 s: 4^-exp(-0.6) = 0.47
    assert 0.4 < gain < 0.7


def test_a_step_of_the_level_is_a_gain():
    floor, every = NoiseFloor(grid(), 3), bands(2)
    floor.begin(every[0])
    quiet = torch.ones(40, dtype=torch.bool)
    assert abs(floor.gain(4 * every[1], quiet) / 4 - 1) < 0.03
    assert abs(floor.gain(4 * every[1], ~quiet) / 4 - 1) < 0.08  # where no bin was quiet: by small eigenvalues


def test_small_eigenvalues_of_many_snapshots_are_those_of_the_noise():
    free, used = small_eigenvalues(5, 1e5, 3)
    assert 0.99 < free < used < 1.0
    free, used = small_eigenvalues(5, 50.0, 3)
    assert free < used < 1.0


def test_running_median_and_smoothing_keep_a_constant_and_drop_an_outlier():
    x = torch.ones(60, dtype=torch.float64)
    x[30] = 100.0
    assert torch.equal(running_median(x, 5), torch.ones_like(x))
    assert torch.equal(smooth(torch.ones_like(x), torch.ones_like(x)), torch.ones_like(x))
