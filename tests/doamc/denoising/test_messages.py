"""Messages of a prior over waveforms: what they must not know, and how much they do."""

import math

import pytest
import torch

from doamc.denoising.messages import (
    GaussianWaveforms,
    cavity,
    empty,
    exchange,
    extrinsic,
    new_messages,
    posterior_covariance,
)
from tests.doamc.helpers.qpsk import QpskWaveforms, qpsk, white


class Halved:
    """A wrong denoiser: half of what it should say."""

    def posterior(self, x, sigma):
        mean, variance = QpskWaveforms().posterior(x, sigma)
        return 0.5 * mean, variance


def observed(level, count=100, length=200, draw=qpsk):
    generator = torch.Generator().manual_seed(3)
    s = draw((count, 1, length), generator)
    noise = math.sqrt(level) * white((count, 1, length), generator)
    return s, noise, torch.full((count, 1), level, dtype=torch.float64)


@pytest.mark.parametrize("denoiser", [QpskWaveforms(), Halved()], ids=["exact", "wrong"])
@pytest.mark.parametrize("level", [0.1, 0.4])
def test_messages_forget_the_noise_and_tell_their_own_error(denoiser, level):
    """20 000 samples: correlation with the noise within 0.02 (three standard errors), variance within a tenth."""
    s, noise, before = observed(level)
    told = new_messages(denoiser, s + noise, before)
    correlation = (told.mean.conj() * noise).real.mean() / (told.mean.abs().square().mean() * level).sqrt()
    error = (s - told.mean).abs().square().mean()
    assert abs(float(correlation)) < 0.02
    assert abs(float(told.variance.mean() - error)) < 0.1 * float(error) + 0.03 * level


def test_moments_of_the_posterior_make_the_same_message():
    s, noise, before = observed(0.3)
    r = s + noise
    told, exact = (
        new_messages(QpskWaveforms(), r, before),
        extrinsic(r, before, *QpskWaveforms().posterior(r, before.sqrt())),
    )
    apart = (told.mean - exact.mean).abs().square().mean()
    assert float(apart) < 0.1 * float((s - exact.mean).abs().square().mean())


@pytest.mark.parametrize("denoiser", [GaussianWaveforms(), QpskWaveforms()], ids=["white", "qpsk"])
def test_of_gaussian_waveforms_nothing_is_told(denoiser):
    """By the right denoiser never, by a wrong one in fewer than a tenth."""
    s, noise, before = observed(0.3, draw=white)
    silent = new_messages(denoiser, s + noise, before).silent
    assert silent.all() if isinstance(denoiser, GaussianWaveforms) else silent.double().mean() > 0.9


def test_without_messages_the_cavity_is_the_least_squares_of_everything_else():
    generator = torch.Generator().manual_seed(1)
    v, y = white((3, 6, 2), generator), white((3, 6, 50), generator)
    noise = torch.tensor([0.1, 0.5, 2.0], dtype=torch.float64)
    r, variance = cavity(y, v, noise, empty(y, 2))
    other = v[:, :, 1:]
    c = other @ other.mH + noise[:, None, None] * torch.eye(6)
    filtered = v[:, :, :1].mH @ torch.linalg.inv(c)
    precision = (filtered @ v[:, :, :1])[:, 0, 0].real
    torch.testing.assert_close(r[:, 0], (filtered @ y)[:, 0] / precision[:, None])
    torch.testing.assert_close(variance[:, 0], 1 / precision)


def test_the_covariance_by_small_algebra_is_that_by_large():
    generator = torch.Generator().manual_seed(2)
    v, noise = white((4, 6, 3), generator), torch.rand(4, generator=generator, dtype=torch.float64) + 0.1
    d = torch.rand(4, 3, generator=generator, dtype=torch.float64)
    full = torch.diag_embed(d).to(v)
    r = v @ full @ v.mH + noise[:, None, None] * torch.eye(6)
    expected = full - full @ v.mH @ torch.linalg.inv(r) @ v @ full
    torch.testing.assert_close(posterior_covariance(v, noise, d), expected)


def test_decisions_of_one_emitter_help_with_the_other():
    """Two emitters 10 dB apart with close responses: in a second round the strong one is known and leaves."""
    generator = torch.Generator().manual_seed(4)
    v = white((40, 4, 2), generator)
    v[:, :, 1] = 0.35 * (0.8 * v[:, :, 0] + 0.6 * v[:, :, 1])
    s = qpsk((40, 2, 200), generator)
    noise = torch.full((40,), 0.05, dtype=torch.float64)
    y = v @ s + noise.sqrt()[:, None, None] * white((40, 4, 200), generator)
    once, twice = (exchange(QpskWaveforms(), y, v, noise, rounds) for rounds in (1, 2))
    assert float(twice.variance[:, 1].mean()) < 0.9 * float(once.variance[:, 1].mean())


def test_a_denoiser_that_says_no_number_says_nothing():
    class Broken:
        def posterior(self, x, sigma):
            return x * torch.nan, x.abs()

    s, noise, before = observed(0.3, count=2, length=20)
    told = new_messages(Broken(), s + noise, before)
    assert told.silent.all() and torch.isfinite(torch.view_as_real(told.opinion)).all()
