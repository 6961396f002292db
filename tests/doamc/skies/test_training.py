"""`doamc train --net sky`, end to end, and its loss."""

import math

import pytest
import torch

from doamc.cli import main
from doamc.errors import CheckpointError
from doamc.learning.checkpoint import load_checkpoint
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.net import SkyNetConfig, parts
from doamc.skies.task import SkyTask, likelihood_loss
from tests.doamc.helpers.training import losses_of_a_step

SMALL = SkyNetConfig(width=8, blocks=1, context=16)


def test_trained_weights_open_and_need_no_array(tmp_path, capsys):
    path = tmp_path / "s.safetensors"
    assert main(["train", "--net", "sky", "--steps", "1", "--threads", "1", "--out", str(path)]) == 0
    kept = load_checkpoint(path, "sky")
    assert kept.spec is None and kept.record["steps"] == 1 and kept.config == SkyNetConfig().as_dict()
    assert path.stat().st_size < 8 * 2**20
    assert bool(SkyDenoiser.open((32, 32), path)(torch.ones(1, 1024), 1.0, 0.5).isfinite().all())
    assert "sky net: " in capsys.readouterr().err


def test_missing_weights_say_how_to_train_them(tmp_path):
    with pytest.raises(CheckpointError, match=r"train them with: doamc train --net sky --out \S*none.safetensors"):
        SkyDenoiser.open((64, 64), tmp_path / "none.safetensors")


def test_a_step_is_the_same_for_the_same_weights_and_improves_them():
    losses = [losses_of_a_step(SkyTask(seed=1, batch=4, config=SMALL)) for _ in range(2)]
    assert losses[0] == losses[1] and losses[0][1] < losses[0][0]


def test_the_loss_is_least_at_the_posterior_of_a_gaussian():
    """For white Gaussian skies of the network's own power F = 0 and log variance 0 are exact; all else costs more."""

    class Fixed:
        def __init__(self, f: float, log_variance: float) -> None:
            self.f, self.log_variance = f, log_variance

        def __call__(self, z: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.full_like(z, self.f), torch.full_like(z, self.log_variance)

    generator = torch.Generator().manual_seed(0)
    x, sigma = 0.1 * torch.randn(16, 40, 40, generator=generator), torch.full((16,), 0.05)
    z = x + 0.05 * torch.randn(16, 40, 40, generator=generator)
    best = float(likelihood_loss(Fixed(0, 0), x, z, sigma))
    assert best == pytest.approx(1, abs=0.03)  # log 1 + E error^2, in units of the Wiener filter
    assert float(likelihood_loss(Fixed(0.3, 0), x, z, sigma)) == pytest.approx(1.09, abs=0.04)
    for value in (-0.3, 0.3):  # the weight is held fixed in a step, so compare without it
        weighted = float(likelihood_loss(Fixed(0, value), x, z, sigma)) / math.exp(value / 2)
        assert weighted == pytest.approx(value + math.exp(-value), abs=0.04) and weighted > best


def test_parts_are_those_of_the_wiener_filter():
    skip, scale = parts(torch.tensor([0.1]))
    assert float(skip) == pytest.approx(0.5) and float(scale) ** 2 == pytest.approx(0.005)
