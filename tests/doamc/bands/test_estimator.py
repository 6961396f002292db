"""Signals as batches for methods: covariances, snapshots, wavelengths, numbers of sources."""

import math

import pytest
import torch

from doamc.bands.estimator import Receiver, SignalEstimator, as_batch, orthonormal_rows
from doamc.bands.signal import Signal
from doamc.bands.wavelength import nearest_step, spec_at
from doamc.errors import SpecificationError
from doamc.spec import load_spec


def signal(covariance, frequency_hz=300e6, snapshots=500.0, number=1):
    return Signal(number, frequency_hz, 12.5e3, 0.0, 0.5, 1.0, 15.0, covariance, snapshots, (0,))


def covariance_of(spec, azimuth_deg, power=20.0):
    azimuth = torch.deg2rad(torch.tensor([azimuth_deg], dtype=torch.float64))
    v = spec.family.response(torch.zeros(1, spec.family.n_parameters, dtype=torch.float64), spec.positions, azimuth)[0]
    return power * v @ v.mH + torch.eye(spec.n_elements, dtype=torch.complex128)


@pytest.mark.parametrize("length", [16, 200, 1000])
def test_a_batch_has_the_covariance_and_is_white(length):
    c = covariance_of(load_spec("ula8"), [20.0, -30.0])
    batch = as_batch([signal(c)], length, None)
    torch.testing.assert_close(batch.covariance[0], c)
    assert float(batch.effective.of_signals(2)[0]) == length
    assert batch.effective.lengths(2).equal
    rows = orthonormal_rows(8, length)
    torch.testing.assert_close(rows @ rows.mH, torch.eye(8, dtype=torch.complex128))


def test_fewer_snapshots_than_elements_keep_the_strongest_part():
    c = covariance_of(load_spec("ula8"), [20.0])
    batch = as_batch([signal(c)], 3, None)
    assert batch.snapshots.shape == (1, 8, 3)
    assert float(torch.linalg.eigvalsh(batch.covariance)[0, -1] / torch.linalg.eigvalsh(c)[-1]) == pytest.approx(1.0)


def test_channels_become_elements():
    c = covariance_of(load_spec("ula4"), [20.0])
    swapped = c[[2, 0, 1, 3]][:, [2, 0, 1, 3]]
    torch.testing.assert_close(as_batch([signal(swapped)], 50, (2, 0, 1, 3)).covariance[0], c)


def test_each_signal_has_the_wavelength_of_its_own_frequency():
    """Half a wavelength at 300 MHz is longer at 303: the same phase then means a smaller angle, by 0.58 degrees at 45.

    One that is received at 300 MHz from 45 degrees has the covariance of one at 303 MHz from 44.4.
    """
    spec = load_spec("ula4")
    estimator = SignalEstimator(Receiver(spec, spec.channels, 300e6), "music", 1)
    at = spec_at(spec, 303e6, 300e6)
    c = covariance_of(spec, [45.0]), covariance_of(at, [45.0])
    there, here, wrong = estimator([signal(c[1], 303e6), signal(c[0], 300e6), signal(c[0], 303e6)])
    assert math.degrees(float(there.azimuth)) == pytest.approx(45.0, abs=0.1)
    assert math.degrees(float(here.azimuth)) == pytest.approx(45.0, abs=0.1)
    shorter = math.degrees(math.asin(math.sin(math.radians(45)) / 1.01))
    assert math.degrees(float(wrong.azimuth)) == pytest.approx(shorter, abs=0.1)


def test_a_prior_of_antennas_is_taken_near_its_frequency_and_refused_far_from_it():
    spec = load_spec("kraken5")
    near = spec_at(spec, 301e6, 300e6)
    torch.testing.assert_close(near.positions, spec.positions * 301 / 300)
    assert near.family is spec.family
    assert spec_at(spec, 300.01e6, 300e6) is spec
    with pytest.raises(SpecificationError, match="frequency_range"):
        spec_at(spec, 310e6, 300e6)
    assert nearest_step(300.01e6, 300e6) == 300e6


def test_a_signal_has_one_source_at_least():
    """The detector found it in many slices; a count by a criterion of information finds nothing in this one."""
    spec = load_spec("ula4")
    estimator = SignalEstimator(Receiver(spec, spec.channels, 300e6), "music", None)
    strong, weak = covariance_of(spec, [20.0]), covariance_of(spec, [-20.0], 0.01)
    found = estimator([signal(strong), signal(weak, snapshots=100.0)])
    assert [int(e.n_sources) for e in found] == [1, 1]
    assert math.degrees(float(found[0].azimuth[0, 0])) == pytest.approx(20.0, abs=0.5)
