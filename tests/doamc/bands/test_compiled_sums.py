"""The compiled loops of spectra against the tensor operations that they replace, in all variants of this processor."""

import numpy as np
import pytest
import torch

from doamc.bands.band_loops import exceeds_by_loops, open_band_loops
from doamc.bands.compiled_sums import CompiledSums, frame_sums, passes_of
from doamc.bands.frame_sums import TensorSums
from doamc.bands.grid import BandGrid
from doamc.errors import KernelError

try:
    LOOPS, VARIANTS = open_band_loops()
except OSError:
    LOOPS, VARIANTS = None, []
compiled = pytest.mark.skipif(LOOPS is None, reason="no compiled loops here")
RNG = np.random.default_rng(3)


def samples(grid, n_channels):
    shape = n_channels, grid.slice_samples + grid.n_fft - grid.hop
    y = RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape) + (0.5 - 2j)
    return torch.from_numpy(y.astype(np.complex64))


def agree(found, expected):
    """Whether sums are the same but for the rounding of single precision."""
    for name in ("covariance", "parts", "lines", "image"):
        a, b = getattr(found, name), getattr(expected, name)
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, rtol=2e-5, atol=1e-5)


@compiled
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("rate_hz", "slice_s", "n_channels"),
    [(100e3, 0.02, 1), (150e3, 0.003, 2), (240e3, 0.02, 5), (312.5e3, 0.005, 9), (2.4e6, 0.004, 3)],
)
def test_sums_are_those_of_tensors(variant, rate_hz, slice_s, n_channels):
    grid = BandGrid(rate_hz, 300e6, asked_slice_s=slice_s)
    y = samples(grid, n_channels)
    sums, reference = CompiledSums(LOOPS, variant, grid, n_channels), TensorSums(grid, n_channels)
    for _ in range(2):  # the room of the first call is used again
        found, expected = sums.levels(y), reference.levels(y)
        torch.testing.assert_close(found.mean, expected.mean, rtol=1e-5, atol=1e-5)
        assert (found.low, found.high) == (expected.low, expected.high)
        agree(sums(y, expected.mean), reference(y, expected.mean))


@compiled
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_the_first_parts_of_a_slice_are_those_of_tensors(variant, parts):
    grid = BandGrid(240e3, 300e6)
    y = samples(grid, 3)
    sums, reference = CompiledSums(LOOPS, variant, grid, 3), TensorSums(grid, 3)
    whole, zero = reference(y, torch.zeros(3, dtype=torch.complex64)), torch.zeros(3, dtype=torch.complex64)
    used = y[:, : grid.frames_in(parts) * grid.hop + grid.overlap].contiguous()
    found, expected = sums(used, zero, parts), reference(used, zero, parts)
    agree(found, expected)
    torch.testing.assert_close(expected.parts, whole.parts[:parts])
    weights = torch.from_numpy(grid.part_frames[:parts] / grid.frames_in(parts)).float()
    power = (weights[:, None, None] * whole.parts[:parts]).sum(0)
    torch.testing.assert_close(found.covariance.diagonal(dim1=1, dim2=2).real, power, rtol=2e-5, atol=1e-5)
    with pytest.raises(KernelError, match="samples of a slice"):
        sums(used[:, :-1].contiguous(), zero, parts)


@compiled
def test_threads_share_the_work():
    grid = BandGrid(240e3, 300e6)
    y, before = samples(grid, 3), torch.get_num_threads()
    sums = CompiledSums(LOOPS, VARIANTS[-1], grid, 3)
    one = sums(y, torch.zeros(3, dtype=torch.complex64))
    torch.set_num_threads(3)
    try:
        agree(sums(y, torch.zeros(3, dtype=torch.complex64)), one)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("n_fft", [16, 24, 80, 96, 128, 240, 1536, 3200])
def test_passes_give_the_transform_where_they_say(n_fft):
    passes, place = passes_of(n_fft)
    x = y = RNG.standard_normal(n_fft) + 1j * RNG.standard_normal(n_fft)
    for n, radix, twiddle in passes:  # decimation in frequency, written out
        m = n // radix
        parts = np.fft.fft(x.reshape(-1, radix, m), axis=1)
        parts[:, 1:] *= twiddle.T
        x = parts.reshape(-1)
    np.testing.assert_allclose(x[place], np.fft.fft(y), rtol=0, atol=1e-5 * n_fft**0.5)


def test_frames_of_other_lengths_are_refused():
    with pytest.raises(KernelError, match="28"):
        passes_of(28)


@compiled
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_sample_that_is_none_shows_in_the_levels(variant):
    grid = BandGrid(240e3, 300e6)
    y = samples(grid, 2)
    y[1, 777] = torch.nan
    levels = CompiledSums(LOOPS, variant, grid, 2).levels(y)
    assert not np.isfinite(levels.high - levels.low)


@compiled
def test_too_few_samples_are_refused():
    grid = BandGrid(240e3, 300e6)
    with pytest.raises(KernelError, match="samples of a slice"):
        frame_sums(grid, 2)(samples(grid, 2)[:, :-1].contiguous(), torch.zeros(2, dtype=torch.complex64))


def test_tensors_are_taken_where_they_are_asked_for(monkeypatch):
    monkeypatch.setenv("DOAMC_LOOPS", "tensors")
    assert isinstance(frame_sums(BandGrid(240e3, 300e6), 2), TensorSums)


@compiled
@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_the_largest_eigenvalue_is_above_what_is_less(n):
    z = RNG.standard_normal((40, n, 2 * n)) + 1j * RNG.standard_normal((40, n, 2 * n))
    matrices = z @ z.conj().swapaxes(1, 2)
    largest = np.linalg.eigvalsh(matrices)[:, -1]
    for k, value in enumerate(largest):
        assert (
            exceeds_by_loops(matrices, value * (1 - 1e-9))[k] and not exceeds_by_loops(matrices, value * (1 + 1e-9))[k]
        )
    middle = float(np.median(largest)) * (1 + 1e-9)
    np.testing.assert_array_equal(exceeds_by_loops(matrices, middle), largest > middle)
