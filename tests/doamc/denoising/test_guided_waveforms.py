"""Guided diffusion over waveforms where the posterior is known."""

import math

import pytest
import torch

from doamc.denoising.guided_waveforms import Observed, WaveformSampler
from doamc.denoising.messages import GaussianWaveforms
from doamc.errors import SamplerError
from tests.doamc.helpers.qpsk import QpskWaveforms, qpsk, white


def seen(count=8, length=100, noise=0.5, seed=1, draw=qpsk):
    """Two emitters with orthogonal responses, for which either guidance could be exact."""
    generator = torch.Generator().manual_seed(seed)
    v = torch.linalg.qr(white((count, 4, 2), generator))[0]
    s, power = draw((count, 2, length), generator), torch.full((count,), noise, dtype=torch.float64)
    return s, Observed(v @ s + math.sqrt(noise) * white((count, 4, length), generator), v, power)


def error(a, b):
    """Mean square of a - b, of which b may lack the axis of samples."""
    b = b[:, None] if b.ndim < a.ndim else b
    return float((a - b).abs().square().mean())


def test_a_sample_has_twice_the_error_of_the_mean_and_samples_have_the_posterior_spread():
    """1600 waveform samples: an error is known to 5 %."""
    s, observed = seen()
    exact = QpskWaveforms().posterior(observed.v.mH @ observed.y, torch.full((8, 2), math.sqrt(0.5)).double())[0]
    drawn = WaveformSampler(QpskWaveforms(), steps=16, samples=8)(observed)
    least = error(exact, s)
    assert 1.8 < error(drawn[:, 0], s) / least < 2.2
    assert error(drawn.mean(1), s) < 1.25 * least  # an eighth more is due
    assert 0.85 < error(drawn, drawn.mean(1, keepdim=True)) * 8 / 7 / least < 1.15


@pytest.mark.parametrize("sampler", ["ddim", "ddpm", "adams", "dpm++2m"])
def test_any_sampler_of_the_engine_runs_it(sampler):
    s, observed = seen(count=4)
    drawn = WaveformSampler(QpskWaveforms(), steps=12, samples=2, sampler=sampler)(observed)
    assert error(drawn, s) < 0.57  # twice that of the mean, 0.25, within two standard errors of 800 samples


def test_moment_matching_is_exact_for_gaussians_and_far_off_for_symbols():
    """Of a symbol given a noisy symbol nothing is Gaussian: samples end on the wrong one."""
    (s, symbols), (t, gauss) = seen(), seen(draw=white)
    right, wrong = (WaveformSampler(QpskWaveforms(), 16, 1, guidance=g)(symbols) for g in ("exchange", "moments"))
    assert error(wrong, s) > 1.8 * error(right, s)
    both = [WaveformSampler(GaussianWaveforms(), 64, 1, guidance=g)(gauss) for g in ("exchange", "moments")]
    for drawn in both:
        assert abs(error(drawn, t) / (2 / 3) - 1) < 0.1  # twice 0.5 / 1.5; few steps fall short of it


def test_eta_draws_anew_and_observations_do_not_touch_each_other():
    _, observed = seen(count=3)
    sampler = WaveformSampler(QpskWaveforms(), 8, 2, eta=0.5, seed=4)
    alone = sampler(Observed(observed.y[1:2], observed.v[1:2], observed.noise_power[1:2]))
    torch.testing.assert_close(alone[0], sampler(observed)[1])
    assert error(WaveformSampler(QpskWaveforms(), 8, 2, seed=4)(observed), sampler(observed)) > 0.01


def test_unknown_names_are_refused():
    with pytest.raises(SamplerError, match="guidance must be one of exchange, moments"):
        WaveformSampler(QpskWaveforms(), guidance="dps")
    with pytest.raises(SamplerError, match="sampler must be one of"):
        WaveformSampler(QpskWaveforms(), sampler="heun")
