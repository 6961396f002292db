"""`doamc train --net waveform`, end to end, and the loss."""

import math

import pytest
import torch
from tests.doamc.helpers.training import losses_of_a_step

from doamc.cli import main
from doamc.errors import CheckpointError
from doamc.learning.checkpoint import load_checkpoint, shipped_weights
from doamc.waveforms.denoiser import WaveformDenoiser
from doamc.waveforms.draws import noise
from doamc.waveforms.net import WaveformNetConfig
from doamc.waveforms.task import WaveformTask, likelihood_loss

SMALL = WaveformNetConfig(width=8, streams=4, blocks=2, context=8)


def test_trained_weights_open_and_need_no_array(tmp_path, capsys):
    path = tmp_path / "w.safetensors"
    assert main(["train", "--net", "waveform", "--steps", "2", "--threads", "1", "--out", str(path)]) == 0
    kept = load_checkpoint(path, "waveform")
    assert kept.spec is None and kept.record["steps"] == 2 and kept.config == WaveformNetConfig().as_dict()
    assert path.stat().st_size < 2 * 2**20
    mean = WaveformDenoiser.open(path).denoise(torch.ones(2, 40) + 0j, 0.5)
    assert bool(mean.isfinite().all())
    assert "waveform net: " in capsys.readouterr().err


def test_an_array_where_none_is_wanted_and_none_where_one_is(tmp_path, capsys):
    out = ["--steps", "1", "--out", str(tmp_path / "w.safetensors")]
    assert main(["train", "--net", "waveform", "--array", "ula8", *out]) == 2
    assert "--net waveform: expected no --array (it is trained for none), found --array ula8" in capsys.readouterr().err
    assert main(["train", "--net", "vae", *out]) == 2
    assert "--net vae: expected --array NAME_OR_TOML, found no --array" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_missing_weights_say_how_to_train_them(tmp_path):
    with pytest.raises(CheckpointError, match=r"train them with: doamc train --net waveform --out \S*none.safetensors"):
        WaveformDenoiser.open(tmp_path / "none.safetensors")


def test_where_weights_without_an_array_ship():
    assert shipped_weights("waveform").name == "waveform.safetensors"


def test_a_step_is_the_same_for_the_same_weights_and_improves_them():
    losses = [losses_of_a_step(WaveformTask(seed=1, batch=4, config=SMALL)) for _ in range(2)]
    assert losses[0] == losses[1] and losses[0][1] < losses[0][0]


def test_the_loss_is_least_at_the_posterior_of_a_gaussian():
    """For white Gaussian waveforms F = 0 and log variance 0 are exact; anything else costs more."""

    class Fixed:
        def __init__(self, f: complex, log_variance: float) -> None:
            self.f, self.log_variance = f, log_variance

        def __call__(self, x: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.full_like(x, self.f), torch.full_like(x.real, self.log_variance)

    generator = torch.Generator().manual_seed(0)
    s, sigma = noise((64, 400), generator), torch.full((64, 1), 0.5)
    x = s + 0.5 * noise((64, 400), generator)
    best = likelihood_loss(Fixed(0, 0), s, x, sigma)
    assert float(best) == pytest.approx(1, abs=0.03)  # log 1 + E|error|^2, in units of the Wiener filter
    assert float(likelihood_loss(Fixed(0.3, 0), s, x, sigma)) == pytest.approx(1.09, abs=0.04)
    # of log v + 1/v, weighted by v^(1/2): the weight is held fixed in a step, so compare without it
    for value in (-0.3, 0.3):
        weighted = float(likelihood_loss(Fixed(0, value), s, x, sigma)) / math.exp(value / 2)
        assert weighted == pytest.approx(value + math.exp(-value), abs=0.04) and weighted > float(best)
