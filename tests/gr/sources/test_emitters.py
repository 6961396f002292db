import numpy as np
import pytest
from gr_doamc.sources.emitters import WAVEFORMS, Waveform, complex_normal, make_emitter
from hypothesis import given
from hypothesis import strategies as st

from doamc.errors import SpecificationError

RATE = 1e5


def waveform(seed=3, **fields):
    return Waveform(make_emitter({"azimuth_deg": 0.0} | fields, RATE), RATE, np.random.default_rng(seed))


@pytest.mark.parametrize("kind", WAVEFORMS)
def test_mean_power_is_that_asked_for(kind):
    x = waveform(waveform=kind, power_db=-3.0, frequency_hz=1234.0).next(100_000)
    # |x|^2 is exponential for Gaussian samples, so the mean of 1e5 has a relative deviation of 1/316; constant else
    tolerance = 5 / 316 if kind == "gaussian" else 1e-5
    assert np.mean(np.abs(x) ** 2) == pytest.approx(10**-0.3, rel=tolerance)


@given(
    kind=st.sampled_from(["qpsk", "constant-modulus", "tone"]),
    hold=st.integers(1, 7),
    cuts=st.lists(st.integers(1, 13), min_size=1, max_size=8),
)
def test_held_symbols_and_tones_do_not_break_at_block_borders(kind, hold, cuts):
    parts = waveform(waveform=kind, oversampling=hold, frequency_hz=777.0)
    x = np.concatenate([parts.next(c) for c in cuts])
    if kind == "tone":
        turn = x[1:] * x[:-1].conj()
        assert np.allclose(turn, np.exp(2j * np.pi * 777.0 / RATE), atol=1e-5)
    else:
        symbols = x[::hold]
        assert np.array_equal(x, np.repeat(symbols, hold)[: len(x)])


def test_qpsk_uses_its_four_points_evenly():
    x = waveform(waveform="qpsk").next(40_000)
    quarter = np.floor(np.angle(x) / (np.pi / 2)).astype(int) % 4
    counts = np.bincount(quarter, minlength=4)
    # chi-square with 3 degrees of freedom: 30 has a probability of 1e-6
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 30
    assert np.allclose(np.abs(np.angle(x**4)), np.pi, atol=1e-4)


def test_noise_is_circular():
    z = complex_normal(np.random.default_rng(0), (2, 100_000), 2.0)
    assert np.mean(np.abs(z) ** 2) == pytest.approx(4.0, rel=0.015)
    assert abs(np.mean(z**2)) < 5 * 4 / np.sqrt(2e5)


def test_track_is_linear_between_its_points_and_constant_outside():
    e = make_emitter({"track": [(1.0, 10.0), (3.0, 30.0), (4.0, 0.0)]}, RATE)
    assert [e.azimuth_deg(t) for t in (0.0, 1.0, 2.0, 3.5, 9.0)] == [10.0, 10.0, 20.0, 15.0, 0.0]
    assert e.moves and not make_emitter({"azimuth_deg": 5}, RATE).moves


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "azimuth_deg"),
        ({"azimuth_deg": 1, "track": [(0, 1)]}, "either"),
        (5, "dict"),
        ({"azimuth_deg": "north"}, "numbers"),
        ({"azimuth_deg": float("nan")}, "finite"),
        ({"track": []}, "finite"),
        ({"track": [(1, 0), (1, 5)]}, "ascending"),
        ({"azimuth_deg": 0, "waveform": "am"}, "waveform must be one of"),
        ({"azimuth_deg": 0, "oversampling": 0}, "oversampling"),
        ({"azimuth_deg": 0, "power_db": float("inf")}, "power_db"),
        ({"azimuth_deg": 0, "frequency_hz": 6e4}, "within"),
        ({"azimuth_deg": 0, "colour": "red"}, "colour"),
    ],
)
def test_what_is_no_emitter_is_refused(table, words):
    with pytest.raises(SpecificationError, match=words):
        make_emitter(table, RATE)


def test_elevations_of_emitters():
    still = make_emitter({"azimuth_deg": 5, "elevation_deg": 40}, RATE)
    assert still.elevation_deg(7.0) == 40.0 and still.raised and not still.moves
    level = make_emitter({"track": [(0, 10), (1, 20)], "elevation_deg": -12}, RATE)
    assert [level.elevation_deg(t) for t in (0.0, 0.7)] == [-12.0, -12.0] and level.azimuth_deg(0.5) == 15.0
    climbing = make_emitter({"track": [(0, 10, 0), (2, 20, 30)]}, RATE)
    assert climbing.elevation_deg(1.0) == 15.0 and climbing.azimuth_deg(1.0) == 15.0
    assert not make_emitter({"track": [(0, 10), (1, 20)]}, RATE).raised


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"azimuth_deg": 0, "elevation_deg": 91}, "-90..90"),
        ({"track": [(0, 1, 2), (1, 1, 2)], "elevation_deg": 3}, "without elevation_deg"),
        ({"track": [(0, 1, 2, 3)]}, "without elevation_deg"),
        ({"azimuth_deg": 0, "elevation_deg": float("nan")}, "finite"),
    ],
)
def test_elevations_that_do_not_fit_are_refused(table, words):
    with pytest.raises(SpecificationError, match=words):
        make_emitter(table, RATE)
