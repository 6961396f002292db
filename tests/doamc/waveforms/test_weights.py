"""What the shipped weights reach, against closed forms on waveforms that training never saw."""

import math
from functools import partial

import pytest
import torch

from doamc.learning.checkpoint import load_checkpoint, shipped_weights
from doamc.waveforms.denoiser import WaveformDenoiser
from doamc.waveforms.digital import symbols
from doamc.waveforms.draws import turn, uniform
from doamc.waveforms.kinds import draw_kind, noisy
from doamc.waveforms.pulses import modulate, raised_cosine, root_raised_cosine, symbols_for


@pytest.fixture(scope="module")
def denoiser() -> WaveformDenoiser:
    return WaveformDenoiser.open(shipped_weights("waveform"))


def trial(
    denoiser, kind: str, length: int, snr_db: float, count: int = 24, level_db: float = 0.0
) -> dict[str, torch.Tensor]:
    """Waveforms of a kind, what is received of them, and the posterior of the network; level_db: spread of levels."""
    generator = torch.Generator().manual_seed(2026)
    s = torch.cat([draw_kind(kind, 4, length, generator) for _ in range(count // 4)])  # pulses are chosen once a draw
    s = s * 10 ** (level_db * torch.randn(count, 1, generator=generator) / 20)
    sigma = 10 ** (-snr_db / 20)
    x = noisy(s, torch.full((count,), sigma), generator)
    mean, variance = denoiser.posterior(x, sigma)
    return {"s": s, "x": x, "mean": mean, "variance": variance, "wiener": x / (1 + sigma**2), "sigma": sigma}


def db(error: torch.Tensor) -> float:
    return 10 * math.log10(float(error.abs().square().mean()))


@pytest.mark.parametrize(
    ("kind", "order", "length", "snr_db", "slack_db"),
    [("qpsk", 4, 200, 9, 1.5), ("qpsk", 4, 200, 5, 1.0), ("psk8", 8, 200, 13, 1.5), ("bpsk", 2, 128, 3, 1.5)],
)
def test_phase_shift_keying_beside_the_posterior_that_knows_carrier_and_phase(
    denoiser, kind, order, length, snr_db, slack_db
):
    t = trial(denoiser, kind, length, snr_db)
    choices = t["s"][..., None] * turn(torch.arange(order) / order)
    share = torch.softmax(-(t["x"][..., None] - choices).abs().square() / t["sigma"] ** 2, 2)
    genie = db((share * choices).sum(2) - t["s"])
    assert genie - 0.1 < db(t["mean"] - t["s"]) < genie + slack_db


@pytest.mark.parametrize(
    ("kind", "length", "snr_db", "gain_db"),
    [
        ("qpsk", 40, 14, 8),
        ("qpsk", 200, 17, 14),
        ("qpsk-shaped", 200, 12, 3.5),
        ("qam16", 200, 20, 5),
        ("cm", 200, 9, 4),
        ("cm", 200, 17, 4),
        ("fsk", 128, 12, 4),
        ("fm", 128, 10, 6),
        ("cw", 128, 10, 9),
        ("band-noise", 200, 10, 1),
    ],
)
def test_gain_over_the_wiener_filter(denoiser, kind, length, snr_db, gain_db):
    t = trial(denoiser, kind, length, snr_db)
    assert db(t["mean"] - t["s"]) < db(t["wiener"] - t["s"]) - gain_db


@pytest.mark.parametrize(("snr_db", "gain_db"), [(5, 0.7), (9, 0.8), (14, 0.3)])
def test_four_samples_a_symbol_beside_the_wiener_filter_that_knows_the_pulse(denoiser, snr_db, gain_db):
    """No linear filter is better than that one: what is gained beyond it is from the constellation."""
    generator, count, length = torch.Generator().manual_seed(3), 24, 200
    sps, timing = torch.full((count, 1), 4.0), uniform(0, 1, count, generator)
    sent, rolloff = symbols("qpsk", count, symbols_for(length, sps), generator), torch.tensor(0.35)
    s = modulate(sent, length, sps, timing, partial(root_raised_cosine, rolloff=rolloff))
    s = s / s.abs().square().mean(1, keepdim=True).sqrt() * turn(0.004 * torch.arange(length))
    sigma = 10 ** (-snr_db / 20)
    x = noisy(s, torch.full((count,), sigma), generator)
    lags = (torch.arange(length)[:, None] - torch.arange(length)).abs()
    covariance = raised_cosine(torch.arange(length) / 4, rolloff)[lags]
    left = sigma**2 * torch.linalg.solve(covariance + sigma**2 * torch.eye(length), covariance).diagonal().mean()
    assert db(denoiser.denoise(x, sigma) - s) < 10 * math.log10(float(left)) - gain_db


@pytest.mark.parametrize(("length", "snr_db"), [(200, -10), (200, 0), (200, 9), (200, 17), (40, 14), (600, 5)])
def test_of_gaussian_waveforms_nothing_is_made_up(denoiser, length, snr_db):
    """The control: the Wiener filter is the best there is."""
    t = trial(denoiser, "gauss", length, snr_db, 4800 // length if length < 600 else 4)
    assert -0.05 < db(t["mean"] - t["s"]) - db(t["wiener"] - t["s"]) < 0.3


@pytest.mark.parametrize("kind", ["qpsk", "qpsk-shaped", "cm", "gauss"])
@pytest.mark.parametrize("snr_db", [5, 12])
def test_variances_are_those_of_the_errors(denoiser, kind, snr_db):
    """Variance that was told over the mean squared error, at levels as in training; 1 is exact. 24 x 128 samples."""
    t = trial(denoiser, kind, 128, snr_db, level_db=0.5)
    told = float(t["variance"].mean() / (t["mean"] - t["s"]).abs().square().mean())
    assert 0.6 < told < 1.6


def test_long_records_are_as_good_as_their_windows(denoiser):
    t = trial(denoiser, "qpsk", 1000, 9, 4)
    short = trial(denoiser, "qpsk", 250, 9, 16)
    assert db(t["mean"] - t["s"]) < db(short["mean"] - short["s"]) + 0.5


def test_the_checkpoint_tells_how_it_was_trained():
    kept = load_checkpoint(shipped_weights("waveform"), "waveform")
    assert kept.spec is None and kept.record["steps"] > 1000 and kept.record["minutes"] > 5
    assert shipped_weights("waveform").stat().st_size < 2 * 2**20
