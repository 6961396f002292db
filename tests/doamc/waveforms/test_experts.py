"""Closed forms for alphabets, against sums over all points that are written out here."""

import math

import numpy as np
import pytest
import torch

from doamc.waveforms.digital import POINTS
from doamc.waveforms.draws import turn
from doamc.waveforms.experts import corners_of, level_of, lines_of, opinions
from doamc.waveforms.kinds import draw_kind, noisy
from doamc.waveforms.lines import find_line, power

SIGMA = 0.3


def posterior(x: np.ndarray, points: np.ndarray, variance: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and log evidence against CN(0, 1), of points that are as likely, for x (T,), points (T, K)."""
    density = np.exp(-(np.abs(x[:, None] - points) ** 2) / variance) / variance
    mean = (density * points).sum(1) / density.sum(1)
    gauss = np.exp(-(np.abs(x) ** 2) / (1 + variance)) / (1 + variance)
    return mean, np.log(density.mean(1) / gauss)


@pytest.mark.parametrize(("index", "kind"), list(enumerate(["bpsk", "qpsk", "psk8"])))
def test_phase_shift_keying_of_known_phase(index, kind):
    """Where the lines are those of the clean waveform, the expert is the sum over the alphabet."""
    s = draw_kind(kind, 1, 64, torch.Generator().manual_seed(1))
    x = noisy(s, torch.tensor([SIGMA]), torch.Generator().manual_seed(2))
    level, variance = torch.ones(1, 1), torch.full((1, 1), SIGMA**2)
    mean, evidence = list(opinions(x, level, variance, lines_of(s)))[index]
    order = len(POINTS[kind])
    points = s[0].numpy()[:, None] * np.exp(2j * np.pi * np.arange(order) / order)
    expected = posterior(x[0].numpy().astype(complex), points, SIGMA**2)
    np.testing.assert_allclose(mean[0].numpy(), expected[0], atol=2e-3)
    np.testing.assert_allclose(evidence[0].numpy(), expected[1], atol=2e-2)


def test_constant_modulus():
    """Of a ring, the sum over many points of it."""
    s = draw_kind("cm", 1, 64, torch.Generator().manual_seed(1))
    x = noisy(s, torch.tensor([SIGMA]), torch.Generator().manual_seed(2))
    mean, evidence = list(opinions(x, torch.ones(1, 1), torch.full((1, 1), SIGMA**2), lines_of(s)))[3]
    ring = np.exp(2j * np.pi * np.arange(1000) / 1000)[None]
    expected = posterior(x[0].numpy().astype(complex), ring, SIGMA**2)
    np.testing.assert_allclose(mean[0].numpy(), expected[0], atol=1e-4)
    np.testing.assert_allclose(evidence[0].numpy(), expected[1], atol=1e-3)


@pytest.mark.parametrize(("kind", "index", "snr_db", "slack_db"), [("qpsk", 1, 9, 1.2), ("psk8", 2, 14, 1.2)])
def test_unknown_carrier_and_phase_cost_little(kind, index, snr_db, slack_db):
    """Beside the posterior mean that knows both, at 200 samples."""
    generator = torch.Generator().manual_seed(5)
    s = draw_kind(kind, 100, 200, generator)
    sigma = torch.full((100, 1), 10 ** (-snr_db / 20))
    x = noisy(s, sigma[:, 0], generator)
    mean, _ = list(opinions(x, level_of(x, sigma.square()), sigma.square(), lines_of(x)))[index]
    order = len(POINTS[kind])
    choices = s[..., None] * turn(torch.arange(order) / order)
    share = torch.softmax(-(x[..., None] - choices).abs().square() / sigma.square()[..., None], 2)
    genie = (share * choices).sum(2)
    excess = (mean - s).abs().square().mean() / (genie - s).abs().square().mean()
    assert 0 <= 10 * math.log10(float(excess)) < slack_db


def test_16_qam_of_unknown_carrier_phase_and_level():
    """At 19 dB the grid is seen: -30 dB, where the Wiener filter leaves -19."""
    generator = torch.Generator().manual_seed(5)
    s = draw_kind("qam16", 100, 200, generator)
    sigma = torch.full((100, 1), 10 ** (-19 / 20))
    x = noisy(s, sigma[:, 0], generator)
    mean, evidence = list(opinions(x, level_of(x, sigma.square()), sigma.square(), lines_of(x), corners_of(x)))[4]
    assert 10 * math.log10(float((mean - s).abs().square().mean())) < -30
    assert float(evidence.mean()) > 1  # nats a sample, log2 of about 5 bits less 4 sent


def test_a_tone_is_found_between_bins():
    frequency = 0.1 + 0.3 / 1024
    tone = turn(frequency * torch.arange(200))[None]
    x = noisy(tone, torch.tensor([1.0]), torch.Generator().manual_seed(0))
    line = find_line(x)
    # amplitude, phase and frequency of a tone in 200 samples: 4 real numbers' worth of noise at most
    assert float((line.wave - tone).abs().square().mean()) < 4 / 200
    assert float(line.strength) > 0.4
    assert float(find_line(x - tone).strength) < 0.05


@pytest.mark.parametrize("order", [2, 4, 8])
def test_power_turns_with_the_order(order):
    x = noisy(torch.zeros(1, 32, dtype=torch.complex64), torch.tensor([1.0]), torch.Generator().manual_seed(0))
    turned = power(x * turn(torch.tensor(0.07)), order)
    assert torch.allclose(turned, power(x, order) * turn(torch.tensor(0.07 * order)), atol=1e-5)


def test_level_is_the_measured_power_where_it_is_measured_well():
    x = 1.06 * turn(torch.rand(1, 1000, generator=torch.Generator().manual_seed(0)))
    assert float(level_of(x, torch.tensor([[1e-4]]))) == pytest.approx(1.06, abs=1e-3)
    noise = noisy(0 * x, torch.tensor([5.0]), torch.Generator().manual_seed(0))
    assert float(level_of(noise[:, :20], torch.tensor([[25.0]]))) == pytest.approx(1, abs=0.02)
