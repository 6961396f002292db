"""Captures that do not describe themselves: bare samples, .npy, .wav, and what is said where something is missing."""

import wave

import numpy as np
import pytest

from doamc.errors import RecordingError
from doamc.snapshots.captures import is_capture, open_capture
from doamc.snapshots.raw_files import RawForm

RNG = np.random.default_rng(3)
Y = (RNG.integers(-128, 128, (3, 50)) + 1j * RNG.integers(-128, 128, (3, 50))) / 128  # of eight bits


def parts(kind, scale=1.0, shift=0.0):
    """Interleaved real and imaginary parts of all channels."""
    return (np.stack([Y.real.T, Y.imag.T], -1) * scale + shift).astype(kind)


@pytest.mark.parametrize(
    ("name", "datatype", "raw"),
    [
        ("a.iq", "cf32_le", parts("<f4")), ("a.cfile", None, parts("<f4")), ("a.bin", "cf64_be", parts(">f8")),
        ("a.cs16", None, parts("<i2", 2**15)), ("a.cu8", None, parts("u1", 128, 128)),
        ("a.raw", "ci8", parts("i1", 128)),
    ],
)  # fmt: skip
def test_bare_samples_are_read_as_they_are_said_to_be(tmp_path, name, datatype, raw):
    (tmp_path / name).write_bytes(raw.tobytes())
    c = open_capture(tmp_path / name, 3, RawForm(datatype, None, 1e6, 434e6))
    assert np.array_equal(c.read(0, 50), Y.astype(np.complex64))
    assert (c.n_samples, c.sample_rate_hz, c.frequency_hz) == (50, 1e6, 434e6)
    assert c.stream_times_s(np.array([7])) == pytest.approx(7e-6)


@pytest.mark.parametrize("array", [Y, Y.T, np.asfortranarray(Y), Y.astype(">c8"), Y.astype(np.complex64)])
def test_an_array_may_lie_either_way_round(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    for n_channels in (3, None):
        c = open_capture(tmp_path / "a.npy", n_channels)
        assert np.array_equal(c.read(4, 40), Y[:, 4:44].astype(np.complex64)) and c.sample_rate_hz is None


@pytest.mark.parametrize(("width", "kind", "scale", "shift"), [(1, "u1", 128, 128), (2, "<i2", 2**15, 0)])
def test_wav_files_hold_pairs_of_i_and_q(tmp_path, width, kind, scale, shift):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(6)
        file.setsampwidth(width)
        file.setframerate(48000)
        file.writeframes(parts(kind, scale, shift).tobytes())
    c = open_capture(tmp_path / "a.wav", 3, RawForm(frequency_hz=7e6))
    assert np.array_equal(c.read(0, 50), Y.astype(np.complex64))
    assert (c.sample_rate_hz, c.frequency_hz) == (48000.0, 7e6)
    with pytest.raises(RecordingError, match="I and Q of 5 channels, 10 columns, found 6"):
        open_capture(tmp_path / "a.wav", 5)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[:-5])
    assert open_capture(tmp_path / "a.wav", 3).n_samples == 49


def test_what_is_missing_is_named_with_what_to_do(tmp_path):
    for name, content in (("a.iq", bytes(100)), ("a.mat", b"MATLAB"), ("a.wav", b"RIFF"), ("a.npy", b"text")):
        (tmp_path / name).write_bytes(content)
    np.save(tmp_path / "real.npy", Y.real)
    np.save(tmp_path / "batches.npy", Y[None])
    for name, form, words in (
        ("a.iq", RawForm(), "--datatype"),
        ("a.iq", RawForm("cf32"), "whole samples of 24 bytes, found 100 bytes"),
        ("a.iq", RawForm("rf32_le"), "expected complex samples"),
        ("a.iq", RawForm("ci8", 5), "expected 3 channels for this array, found 5"),
        ("a.mat", RawForm(), "numpy.save"),
        ("a.wav", RawForm(), "PCM"),
        ("a.npy", RawForm(), r"expected a \.npy file"),
        ("real.npy", RawForm(), "one complex array"),
        ("batches.npy", RawForm(), r"batches \(B, N, L\) to an \.npz"),
        ("none.iq", RawForm(), "no such file"),
    ):
        with pytest.raises(RecordingError, match=words):
            open_capture(tmp_path / name, 3, form)
    assert is_capture("x.dat") and is_capture("x", RawForm("ci8")) and not is_capture("x.npz")
