"""Noise alone is recognised as often as is said, at every number of snapshots, and emitters are not taken for it."""

import math

import numpy as np
import pytest
import torch

from doamc.estimates import make_message, validate
from doamc.estimates.message_values import message_values
from doamc.estimators.engine import estimate_batch
from doamc.estimators.estimates import Estimates
from doamc.likelihood.noise_test import FALSE_ALARMS, LEAST_SNAPSHOTS, NATS, ODDS, NoiseTest
from doamc.posterior.methods import Posterior
from doamc.posterior.pipeline import PosteriorSampler
from doamc.scenes import draw_scene
from doamc.scenes.wishart import draw_covariance
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import observed

SCENES = 2000


def noise(n, length, batches, seed=1, power=1.0):
    generator = torch.Generator().manual_seed(seed)
    y = torch.randn(batches, n, length, dtype=torch.complex128, generator=generator)
    return y * torch.as_tensor(power, dtype=torch.float64).sqrt()


def most(share, batches):
    """The largest share that so many batches may show where the true one is at most `share`: four sigma."""
    return share + 4 * math.sqrt(share * (1 - share) / batches)


def odds(array, length, known, scenes=SCENES):
    """T over noise alone, (scenes,)."""
    n = load_spec(array).n_elements
    lengths = torch.full((scenes,), float(length), dtype=torch.float64)
    r = draw_covariance(torch.eye(n).expand(scenes, -1, -1).to(torch.complex128), lengths, np.random.default_rng(1))
    return NoiseTest(load_spec(array)).log_odds(r, lengths, torch.ones_like(lengths) if known else None).exp()


@pytest.mark.parametrize(
    ("array", "length", "known"),
    [("ula4", 20, False), ("uca5", 5, False), ("uca5", 100_000, True), ("ula8", 20, False), ("ula8", 1000, True),
     ("seed16", 100, False), ("kraken5", 50, False), ("dipole8", 100_000, False)],
)  # fmt: skip
def test_noise_alone_exceeds_the_odds_in_two_of_a_hundred_batches(array, length, known):
    share = float((odds(array, length, known) > ODDS).double().mean())
    assert 0.003 < share < most(FALSE_ALARMS, SCENES)  # and is not far from it: the test is no weaker than it must be


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(("array", "length"), [("uca5", 19), ("ula8", 8), ("seed16", 5)])
def test_the_mean_likelihood_ratio_under_noise_is_one(array, length, known):
    """Exact for every array and L. T has heavy tails: what is cut off at 20 is half of the mean at most."""
    t = odds(array, length, known, 1000).clamp_max(20.0)
    assert 0.4 < float(t.mean()) < 1 + 4 * float(t.std()) / math.sqrt(1000)


def test_one_scene_has_the_likelihood_ratio_of_its_covariance():
    """The closed form against slogdet and inverse, for one scene of two sources and one strength."""
    test = NoiseTest(load_spec("uca5"))
    forms, share = test._vectors[1][:, :2], test._shares[1][:1]
    test._vectors, test._shares = [forms], [share]
    r = draw_covariance(
        torch.eye(5)[None].to(torch.complex128), torch.tensor([12.0]).double(), np.random.default_rng(2)
    )
    uu = torch.view_as_complex(forms.mT.reshape(2, 5, 5, 2).contiguous())
    ratios = []
    for nats in NATS:
        gamma = math.sqrt(2 * nats / 12) + nats / 12
        model = torch.eye(5) + (gamma * share[0])[:, None, None].mul(uu).sum(0)
        log_det, inverse = torch.linalg.slogdet(model)[1], torch.linalg.inv(model)
        trace = torch.einsum("ij,ji->", inverse, r[0]).real
        # likelihood with the noise power integrated out: det^-L trace^(-L N)
        ratios.append(-12 * float(log_det) - 12 * 5 * math.log(float(trace / r[0].diagonal().real.sum())))
    expected = torch.logsumexp(torch.tensor(ratios, dtype=torch.float64), 0) - math.log(len(NATS))
    torch.testing.assert_close(test.log_odds(r, torch.tensor([12.0]).double())[0], expected)


@pytest.mark.parametrize("scale", [1.0, 0.03])
@pytest.mark.parametrize(("array", "length"), [("ula8", 20), ("uca5", 50), ("kraken5", 256)])
def test_no_phantoms_in_noise_at_any_scale(array, length, scale):
    share = 1 - float(
        NoiseTest(load_spec(array))(make_batch(scale * noise(load_spec(array).n_elements, length, 1000)))
        .double()
        .mean()
    )
    assert share < most(FALSE_ALARMS, 1000)


def test_powers_of_the_channels_do_not_matter():
    y = noise(8, 64, 50)
    test, powers = NoiseTest(load_spec("ula8")), 10 ** torch.linspace(-5, 3, 8, dtype=torch.float64)[:, None]
    lengths = torch.full((50,), 64.0, dtype=torch.float64)
    plain, uneven = (test.log_odds(make_batch(v).covariance, lengths) for v in (y, y * powers.sqrt()))
    torch.testing.assert_close(plain, uneven, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("array", "taps", "length"),
    [("uca5", 4, 1003), ("uca5", 4, 259), ("uca5", 16, 271), ("uca5", 64, 1063), ("ula8", 8, 71), ("ula8", 16, 79)],
)
def test_noise_behind_a_filter_is_noise(array, taps, length):
    """Averages over so many samples: effective numbers of snapshots of 375, 96, 24, 23, 12 and 6 by theory."""
    y = noise(load_spec(array).n_elements, length, 500).unfold(2, taps, 1).sum(-1)
    test = NoiseTest(load_spec(array))
    assert 1 - float(test(make_batch(y)).double().mean()) < most(FALSE_ALARMS, 500)
    taken_for_white = test.log_odds(
        make_batch(y).covariance, torch.full((500,), float(y.shape[2]), dtype=torch.float64)
    )
    assert float((taken_for_white > math.log(ODDS)).double().mean()) > 0.3


@pytest.mark.parametrize("array", ["ula4", "uca5", "ula8", "kraken5"])
def test_emitters_of_the_prior_are_no_noise(array):
    spec = load_spec(array)
    test = NoiseTest(spec)
    for p in range(1, spec.source_count[1] + 1):
        for length, snr_db in ((LEAST_SNAPSHOTS * spec.n_elements, 10.0), (200, 0.0), (1000, -5.0)):
            _, batch = observed(spec, 200, p, length, snr_db, seed=9)
            # powers reach down to -6 dB, and strong coupling hides a direction now and then
            assert test(batch).sum() <= 6, (p, length, snr_db)


@pytest.mark.parametrize(("length", "snr_db"), [(20, 10.0), (256, 0.0), (1000, -5.0)])
def test_a_carrier_in_white_noise_is_no_noise(length, snr_db):
    """It has one effective snapshot of its own, but the noise beside it has all."""
    spec = load_spec("uca5")
    scene = draw_scene(spec, 100, 1, 0.0, torch.Generator().manual_seed(5))
    carrier = torch.exp(2j * math.pi * 0.1 * torch.arange(length, dtype=torch.float64))
    y = noise(5, length, 100) + 10 ** (snr_db / 20) * scene.response * carrier
    assert NoiseTest(spec)(make_batch(y)).sum() <= 1


@pytest.mark.parametrize("array", ["ula4", "uca5", "ula8"])
def test_what_comes_from_no_direction_is_no_noise(array):
    """One signal in two channels alone, 0 dB."""
    y = noise(load_spec(array).n_elements, 256, 50)
    y[:, 1:3] += noise(1, 256, 50, seed=2)
    assert not NoiseTest(load_spec(array))(make_batch(y)).any()


@pytest.mark.parametrize("length", [1, 2, 5, 20])
def test_short_batches_are_tested_too(length):
    share = 1 - float(NoiseTest(load_spec("ula8"))(make_batch(noise(8, length, 1000))).double().mean())
    assert share < most(FALSE_ALARMS, 1000)


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
    quiet = quiet[NoiseTest(ula8.spec)(make_batch(quiet))][:3]  # two in a hundred are not recognised
    mixed = make_batch(torch.cat([quiet[:1], batch.snapshots[:2], quiet[1:], batch.snapshots[2:]]))
    together, alone = estimate_batch(ula8, mixed, None), estimate_batch(ula8, batch, None)
    places = [1, 2, 5]
    assert together.n_sources.tolist() == [0, 2, 2, 0, 0, 2]
    for name in ("azimuth", "std", "power", "coupling", "noise_power", "interval", "log_evidence"):
        assert torch.equal(getattr(together, name)[places], getattr(alone, name)), name
    assert together.log_evidence[[0, 3, 4]].isnan().all() and together.azimuth[[0, 3, 4]].isnan().all()

    def samples(*arguments):
        raise AssertionError("the sampler ran")

    monkeypatch.setattr(PosteriorSampler, "__call__", samples)
    estimates = estimate_batch(ula8, make_batch(quiet), None)
    assert estimates.n_sources.tolist() == [0, 0, 0]
    torch.testing.assert_close(estimates.noise_power, quiet.abs().square().mean((1, 2)))


def test_a_message_of_noise_says_no_sources(ula8):
    quiet = noise(8, 100, 40)
    estimates: Estimates = estimate_batch(ula8, make_batch(quiet[NoiseTest(ula8.spec)(make_batch(quiet))][:1]), None)
    message = make_message(
        seq=0, time=0.0, sample_time=None, frequency_hz=None, array="ula8", method="posterior", snapshots=100,
        latency_ms={}, dropped_batches=0, **message_values(estimates),
    )  # fmt: skip
    validate(message)
    assert (message["n_sources"], message["sources"]) == (0, [])
    assert message["coupling"] is None and "source_probability" not in message
