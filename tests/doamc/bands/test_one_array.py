"""One coupling for all signals: better bearings of antennas that are not as planned, and intervals that hold."""

import math

import numpy as np
import pytest
import torch

from doamc.angles import wrap_deg
from doamc.bands.bearings import Bearings
from doamc.bands.estimator import Receiver, SignalEstimator
from doamc.bands.heard import heard
from doamc.bands.one_array import OneArray
from doamc.bands.wavelength import spec_at
from doamc.spec import load_spec
from tests.doamc.bands.test_estimator import covariance_of, signal

SPEC = load_spec("kraken5")
TRUE_DEG = (20.0, 95.0, 170.0, 230.0, 280.0, 330.0)


def signals(seed, strength):
    """Six signals of one array drawn from the prior, `strength` times as far from its mean."""
    rng, out = np.random.default_rng(seed), []
    theta = strength * SPEC.family.draw((1,), torch.Generator().manual_seed(seed))
    for k, azimuth_deg in enumerate(TRUE_DEG):
        frequency_hz = 300e6 + (k - 2.5) * 4e5
        at = spec_at(SPEC, frequency_hz, 300e6)
        azimuth = torch.tensor([[math.radians(azimuth_deg)]], dtype=torch.float64)
        v = SPEC.family.response(theta, at.positions, azimuth)[0, :, 0].numpy()
        s = (rng.standard_normal(500) + 1j * rng.standard_normal(500)) * 4
        y = (v[:, None] * s + rng.standard_normal((5, 500)) + 1j * rng.standard_normal((5, 500))) / 2**0.5
        out.append(signal(torch.from_numpy(y @ y.conj().T / 500), frequency_hz, 500.0, k))
    return out


def errors(bearings, seed, strength):
    found = [b.estimates for b in bearings(signals(seed, strength))]
    error = [math.degrees(float(e.azimuth[0, 0])) - t for e, t in zip(found, TRUE_DEG, strict=True)]
    return wrap_deg(np.array(error)), np.array([math.degrees(float(e.std[0, 0])) for e in found])


def test_together_bearings_are_twice_as_good_and_intervals_hold():
    """Two arrays, 1.5 times as far from the plan as the prior says: what rough builders make."""
    estimator = SignalEstimator(Receiver(SPEC, SPEC.channels, 300e6), "music", 1)
    alone, together, inside = [], [], []
    for seed in range(2):
        own = Bearings(estimator)
        for s, true in zip(signals(seed, 1.5), TRUE_DEG, strict=True):
            (placed,) = OneArray(SPEC)([own._heard(s, estimator([s])[0])], [True])
            alone.append(wrap_deg(math.degrees(float(placed.azimuth)) - true))
        error, std = errors(Bearings(estimator), seed, 1.5)
        together.append(error)
        inside.append(np.abs(error) < 1.645 * std)
    assert np.sqrt(np.mean(np.square(together))) < 0.5 * np.sqrt(np.mean(np.square(alone)))
    assert np.mean(inside) > 0.7  # of 12, in two arrays with errors of their own: 0.9 less two standard deviations


def test_one_signal_stays_alone_and_later_ones_share_what_was_learnt():
    bearings = Bearings(SignalEstimator(Receiver(SPEC, SPEC.channels, 300e6), "music", 1))
    first, *others = signals(1, 1.0)
    (alone,) = bearings([first])
    assert alone.shared == 1
    assert [b.shared for b in bearings(others)] == [5] * 5
    (again,) = bearings([first])
    assert again.shared == 6
    error = abs(math.degrees(float(again.estimates.azimuth)) - TRUE_DEG[0])
    assert error < max(1.0, abs(math.degrees(float(alone.estimates.azimuth)) - TRUE_DEG[0]))


@pytest.mark.parametrize("power", [10.0, 1000.0])
def test_so_many_snapshots_count_that_noise_is_as_large_as_the_model_error(power):
    c = covariance_of(SPEC, [20.0], power)
    azimuth, error = torch.tensor([0.35], dtype=torch.float64), 10**-3.4
    told = heard(SPEC, c, 1e6, azimuth, torch.eye(5, dtype=torch.complex128)).under(error)
    response = float(torch.linalg.eigvalsh(c)[-1] - 1) / 5
    assert told.observed.snapshots == pytest.approx(max(10.0, 1 / (1e-6 + error * response)), rel=0.01)


def exact_signals(spec, seed):
    """Six signals of an array that is as its specification tells, their truths in degrees."""
    rng, out = np.random.default_rng(seed), []
    theta, truth = spec.family.draw((1,), torch.Generator().manual_seed(seed)), rng.uniform(-60, 60, 6)
    for k, azimuth_deg in enumerate(truth):
        azimuth = torch.tensor([[math.radians(azimuth_deg)]], dtype=torch.float64)
        v = spec.family.response(theta, spec.positions, azimuth)[0, :, 0].numpy()
        s = (rng.standard_normal(500) + 1j * rng.standard_normal(500)) * 4
        noise = rng.standard_normal((len(v), 500)) + 1j * rng.standard_normal((len(v), 500))
        y = (v[:, None] * s + noise) / 2**0.5
        out.append(signal(torch.from_numpy(y @ y.conj().T / 500), 300e6, 500.0, k))
    return out, truth


@pytest.mark.slow
def test_sharing_does_not_hurt_where_the_array_is_as_it_is_told():
    """Eight elements, coupling of the family itself: no model error holds the strong signals back."""
    spec = load_spec("ula8")
    estimator = SignalEstimator(Receiver(spec, spec.channels, 300e6), "rare", 1)
    found, inside = {False: [], True: []}, []
    for seed in range(3):
        told, truth = exact_signals(spec, seed)
        for together in (False, True):
            bearings = Bearings(estimator, together)
            estimates = [b.estimates for b in bearings(told)]
            error = np.array([math.degrees(float(e.azimuth[0, 0])) for e in estimates]) - truth
            found[together].append(error)
            if together:
                std = np.array([math.degrees(float(e.std[0, 0])) for e in estimates])
                inside.append(np.abs(error) < 1.645 * std)
                assert bearings._one.error < 10**-4  # of the responses' power: next to none
    alone, shared = (np.sqrt(np.mean(np.square(found[k]))) for k in (False, True))
    assert shared < alone
    assert 0.7 < np.mean(inside)  # of 18 that share three arrays: 0.9 less two standard deviations
