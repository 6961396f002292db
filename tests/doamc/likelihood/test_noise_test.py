"""Noise alone is recognised as often as is said, emitters are not taken for it, and what is short is left to others."""

import math

import numpy as np
import pytest
import torch

from doamc.estimates import make_message, validate
from doamc.estimates.message_values import message_values
from doamc.estimators.base import Estimates
from doamc.estimators.engine import estimate_batch
from doamc.likelihood.noise_test import FALSE_ALARMS, LEAST_SNAPSHOTS, NoiseTest
from doamc.posterior.methods import Posterior
from doamc.scenes.wishart import draw_covariance
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import observed

SCENES = 4000


def noise(n, length, batches, seed=1, power=1.0):
    generator = torch.Generator().manual_seed(seed)
    y = torch.randn(batches, n, length, dtype=torch.complex128, generator=generator)
    return y * torch.as_tensor(power, dtype=torch.float64).sqrt()


def p_values(array, length, scenes=SCENES):
    """p values of both statistics over noise alone, (2, scenes)."""
    n = load_spec(array).n_elements
    lengths = torch.full((scenes,), float(length), dtype=torch.float64)
    r = draw_covariance(torch.eye(n).expand(scenes, -1, -1).to(torch.complex128), lengths, np.random.default_rng(1))
    return torch.stack(NoiseTest(load_spec(array)).p_values(r, lengths))


@pytest.mark.parametrize("array", ["ula4", "uca5", "ula8", "seed16"])
@pytest.mark.parametrize("snapshots_an_element", [4, 40, 20_000])
def test_each_statistic_has_the_false_alarms_that_it_claims(array, snapshots_an_element):
    p = p_values(array, snapshots_an_element * load_spec(array).n_elements)
    for level in (0.01, FALSE_ALARMS / 2, 0.05):
        # four standard deviations of a binomial share, and a tenth for the approximations
        reach = 4 * math.sqrt(level * (1 - level) / SCENES) + 0.1 * level
        assert ((p < level).double().mean(1) - level).abs().max() < reach


@pytest.mark.parametrize("array", ["uca5", "ula8"])
def test_of_batches_of_noise_one_in_twenty_is_not_recognised(array):
    n = load_spec(array).n_elements
    share = 1 - float(NoiseTest(load_spec(array))(make_batch(noise(n, 100, 2000))).double().mean())
    assert 0.03 < share < FALSE_ALARMS + 4 * math.sqrt(FALSE_ALARMS / 2000)  # the two statistics overlap a little


def test_powers_of_the_channels_do_not_matter():
    y = noise(8, 64, 50)
    test, powers = NoiseTest(load_spec("ula8")), 10 ** torch.linspace(-5, 3, 8, dtype=torch.float64)[:, None]
    plain, uneven = (
        test.p_values(make_batch(v).covariance, torch.full((50,), 64.0, dtype=torch.float64))
        for v in (y, y * powers.sqrt())
    )
    for a, b in zip(plain, uneven, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


def test_noise_behind_a_narrow_filter_is_noise():
    """Averages over four samples: an effective number of snapshots of about a third."""
    y = noise(5, 1003, 1000).unfold(2, 4, 1).sum(-1)
    share = float(NoiseTest(load_spec("uca5"))(make_batch(y)).double().mean())
    assert share > 1 - FALSE_ALARMS - 4 * math.sqrt(FALSE_ALARMS / 1000)
    taken_for_white = NoiseTest(load_spec("uca5")).p_values(
        make_batch(y).covariance, torch.full((1000,), 1000.0, dtype=torch.float64)
    )
    assert float((torch.stack(taken_for_white).amin(0) < FALSE_ALARMS / 2).double().mean()) > 0.3


@pytest.mark.parametrize("array", ["ula4", "uca5", "ula8", "kraken5"])
def test_emitters_of_the_prior_are_no_noise(array):
    spec = load_spec(array)
    test = NoiseTest(spec)
    for p in range(1, spec.source_count[1] + 1):
        for length, snr_db in ((LEAST_SNAPSHOTS * spec.n_elements, 10.0), (200, 0.0), (1000, -5.0)):
            _, batch = observed(spec, 200, p, length, snr_db, seed=9)
            # 0.004 of them at most: powers reach down to -6 dB, and strong coupling hides a direction now and then
            assert test(batch).sum() <= 4, (p, length, snr_db)


def test_an_emitter_that_never_varies_is_no_noise():
    """A carrier has one effective snapshot, which is too few to be sure of anything."""
    carrier = torch.exp(2j * math.pi * 0.1 * torch.arange(256, dtype=torch.float64))
    assert not NoiseTest(load_spec("uca5"))(make_batch(noise(5, 256, 20) + 10.0 * carrier)).any()


@pytest.mark.parametrize("length", [1, 5, LEAST_SNAPSHOTS * 8 - 1])
def test_short_batches_are_left_to_the_method(length):
    assert not NoiseTest(load_spec("ula8"))(make_batch(noise(8, length, 20))).any()


def test_power_above_that_of_the_noise_is_no_noise():
    y = noise(8, 200, 200)
    test = NoiseTest(load_spec("ula8"))
    assert float(test(make_batch(y, noise_power=1.0)).double().mean()) > 0.9
    assert not test(make_batch(1.2 * y, noise_power=1.0)).any()  # 1.6 dB: 17 standard deviations of the mean power
    assert float(test(make_batch(0.8 * y, noise_power=1.0)).double().mean()) > 0.9


@pytest.fixture(scope="module")
def ula8():
    return Posterior("ula8")


def test_noise_costs_no_sampler_and_leaves_the_others_as_they_are(ula8, monkeypatch):
    _, batch = observed(ula8.spec, 3, 2, 100, 10.0)
    quiet = 0.03 * noise(8, 100, 40)
    quiet = quiet[ula8.is_noise(make_batch(quiet))][:3]  # one in twenty is not recognised
    mixed = make_batch(torch.cat([quiet[:1], batch.snapshots[:2], quiet[1:], batch.snapshots[2:]]))
    together, alone = estimate_batch(ula8, mixed, None), estimate_batch(ula8, batch, None)
    places = [1, 2, 5]
    assert together.n_sources.tolist() == [0, 2, 2, 0, 0, 2]
    for name in ("azimuth", "std", "power", "coupling", "noise_power", "interval", "log_evidence"):
        assert torch.equal(getattr(together, name)[places], getattr(alone, name)), name
    assert together.log_evidence[[0, 3, 4]].isnan().all() and together.azimuth[[0, 3, 4]].isnan().all()

    def samples(*arguments):
        raise AssertionError("the sampler ran")

    monkeypatch.setattr(Posterior, "samples", samples)
    estimates = estimate_batch(ula8, make_batch(quiet), None)
    assert estimates.n_sources.tolist() == [0, 0, 0]
    torch.testing.assert_close(estimates.noise_power, quiet.abs().square().mean((1, 2)))


def test_a_message_of_noise_says_no_sources(ula8):
    quiet = noise(8, 100, 40)
    estimates: Estimates = estimate_batch(ula8, make_batch(quiet[ula8.is_noise(make_batch(quiet))][:1]), None)
    message = make_message(
        seq=0, time=0.0, sample_time=None, frequency_hz=None, array="ula8", method="posterior", snapshots=100,
        latency_ms={}, dropped_batches=0, **message_values(estimates),
    )  # fmt: skip
    validate(message)
    assert (message["n_sources"], message["sources"]) == (0, [])
    assert message["coupling"] is None and "source_probability" not in message
