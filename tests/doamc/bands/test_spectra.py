"""Spectral covariances: where a tone comes to lie, its covariance, and that the pieces of a stream do not matter."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from doamc.bands.spectra import SpectralCovariances
from doamc.errors import SnapshotError
from tests.doamc.bands.captures import grid, noise


def test_a_tone_has_its_power_in_its_bin_and_its_phases_in_the_covariance():
    g, v = grid(), np.exp(1j * np.array([0.0, 1.0, 2.5]))
    offset = 3.25 * g.bin_hz  # a quarter into the fourth bin above the middle
    t = np.arange(3 * g.slice_samples) / g.sample_rate_hz
    y = v[:, None] * np.exp(2j * np.pi * offset * t)
    bands = list(SpectralCovariances(g, 3).push(y.astype(np.complex64)))
    power = bands[0].covariance.diagonal(dim1=1, dim2=2).real.mean(1)
    k = int(power.argmax())
    assert k == g.n_bins // 2 + 3
    assert float(power[k - 1 : k + 2].sum() / power.sum()) > 0.9999  # Hann: -31 dB and less beyond its main lobe
    c = bands[0].covariance[k].numpy()
    np.testing.assert_allclose(c / c[0, 0].real, np.outer(v, v.conj()), atol=1e-4)
    # the sum over lines of a bin's mean power is that of the tone over the noise's, n_fft to 1 in a line
    assert abs(float(power.sum()) * 4 / g.n_fft - 1) < 1e-3


def test_noise_has_the_power_of_its_samples_in_every_bin():
    g = grid()
    bands = list(SpectralCovariances(g, 2).push(2 * noise(2, 40 * g.slice_samples)))
    power = torch.stack([b.covariance.diagonal(dim1=1, dim2=2).real for b in bands]).mean(0)
    assert abs(float(power.mean()) / 4 - 1) < 0.01
    assert float((power / 4 - 1).abs().max()) < 5 / np.sqrt(len(bands) * g.independent(4, g.n_frames))
    lines = torch.stack([b.lines for b in bands]).mean((0, 2))
    torch.testing.assert_close(lines, power)  # a bin's power is the mean of its lines'
    parts = torch.stack([b.parts for b in bands]).mean((0, 1))
    assert float((parts / power - 1).abs().max()) < 0.02  # parts of a frame more or less than a quarter


def test_the_pieces_of_a_stream_do_not_matter():
    g, y = grid(), noise(2, 30_000)
    whole = list(SpectralCovariances(g, 2).push(y))
    pieces = SpectralCovariances(g, 2)
    parts = [b for piece in np.split(y, [1, 7, 9000, 9001, 25_000], axis=1) for b in pieces.push(piece)]
    assert [b.number for b in parts] == [b.number for b in whole] == list(range(len(whole)))
    for a, b in zip(parts, whole, strict=True):
        torch.testing.assert_close(a.covariance, b.covariance, rtol=0, atol=0)


def test_slices_that_are_cut_already_are_those_of_the_stream():
    g, y = grid(), noise(2, 30_000)
    cut = SpectralCovariances(g, 2)
    for k, band in enumerate(SpectralCovariances(g, 2).push(y)):
        own = cut.slice(y[:, k * g.slice_samples :][:, : cut.needed])
        assert (own.number, own.samples, own.share) == (band.number, band.samples, 1.0) == (k, cut.needed, 1.0)
        torch.testing.assert_close(own.covariance, band.covariance, rtol=0, atol=0)


@pytest.mark.parametrize(("frames", "parts"), [(4, 0), (14, 0), (15, 1), (44, 2), (59, 3)])
def test_what_is_left_at_the_end_is_a_slice_of_fewer_parts(frames, parts):
    g = grid()
    assert g.n_frames == 60
    y = noise(2, g.slice_samples + frames * g.hop + g.overlap + 7)
    spectra = SpectralCovariances(g, 2)
    (whole,) = spectra.push(y)
    rest = spectra.rest()
    if not parts:
        assert rest is None and spectra.slice(y[:, g.slice_samples :]) is None
        assert spectra.left == y.shape[1] - g.slice_samples
        return
    assert (rest.number, rest.share, rest.parts.shape[0]) == (1, parts / 4, parts) and whole.share == 1.0
    assert spectra.left == y.shape[1] - g.slice_samples - 15 * parts * g.hop and spectra.rest() is None
    again = SpectralCovariances(g, 2).slice(y[:, g.slice_samples :])
    torch.testing.assert_close(again.covariance, rest.covariance, rtol=0, atol=0)


def test_a_slice_of_the_least_frames_is_never_cut():
    g = replace(grid(), asked_slice_s=4 * grid().hop / 240e3)
    assert g.n_frames == 4 and g.parts_in(4 * g.hop + g.overlap) == 4
    assert g.parts_in(4 * g.hop + g.overlap - 1) == g.parts_in(0) == 0


def test_the_offset_is_taken_out_and_told():
    g = grid()
    band = next(SpectralCovariances(g, 2).push(noise(2, 2 * g.slice_samples) + np.complex64(3 - 4j)))
    assert float((band.offset - (3 - 4j)).abs().max()) < 0.1
    power = band.covariance.diagonal(dim1=1, dim2=2).real.mean(1)
    assert float(power.max()) < 2.0


def test_clipping_is_seen_at_the_end_of_a_converter_only():
    g = grid()
    y = noise(2, 2 * g.slice_samples)
    loud = np.clip(y.real, -1, 1) + 1j * np.clip(y.imag, -1, 1)
    assert next(SpectralCovariances(g, 2).push(loud)).clipped > 0.1
    assert next(SpectralCovariances(g, 2).push(0.2 * loud)).clipped == 0.0  # no converter ends there
    assert next(SpectralCovariances(g, 2).push(y)).clipped == 0.0


def test_samples_that_are_none_are_refused():
    g = grid()
    y = noise(2, 2 * g.slice_samples)
    with pytest.raises(SnapshotError, match="--array"):
        list(SpectralCovariances(g, 3).push(y))
    y[0, 5] = np.nan
    with pytest.raises(SnapshotError, match="NaN"):
        list(SpectralCovariances(g, 2).push(y))
