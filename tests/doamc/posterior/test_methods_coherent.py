"""Method posterior with sources of any correlation: two paths of one emitter."""

import math

import pytest
import torch

from doamc.errors import EstimatorError
from doamc.estimators.base import make_estimator
from doamc.posterior.methods import Posterior
from doamc.scenes import draw_scene
from doamc.snapshots import make_batch
from doamc.spec import load_spec


def paths(correlation: float, batch: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    """True azimuths (B, 2) and snapshots (B, 8, 200) at 10 dB of two sources of a correlation of random phase."""
    generator = torch.Generator().manual_seed(11)
    scene = draw_scene(load_spec("ula8"), batch, 2, 10.0, generator)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, dtype=torch.complex128, generator=generator)

    s = normal(batch, 2, 200)
    phase = 2 * math.pi * torch.rand(batch, 1, generator=generator, dtype=torch.float64)
    turn = torch.polar(torch.full_like(phase, correlation), phase)
    s[:, 1] = turn * s[:, 0] + math.sqrt(1 - correlation**2) * s[:, 1]
    clean = scene.response @ (scene.power.sqrt()[..., None] * s)
    return scene.azimuth, clean + scene.noise_power.sqrt()[:, None, None] * normal(batch, 8, 200)


def hits(azimuth: torch.Tensor, truth: torch.Tensor) -> float:
    """Share of scenes with every source within 2 deg."""
    return float(((azimuth - truth).abs().amax(1) < math.radians(2.0)).double().mean())


def test_two_coherent_paths_are_told_apart():
    truth, y = paths(1.0)
    batch = make_batch(y)
    found = {how: Posterior("ula8", coherent=how)(batch, 2) for how in ("no", "yes", "auto")}
    rate = {how: hits(e.azimuth, truth) for how, e in found.items()}
    assert min(rate.values()) >= 0.9  # by "no", too: a batch that does not fit is given the remedy of its cause
    assert rate["yes"] > hits(Posterior("ula8", noise="equal")(batch, 2).azimuth, truth)  # without remedies
    assert rate["yes"] > hits(make_estimator("music-smoothed", "ula8")(batch, 2).azimuth, truth)
    error = (found["yes"].azimuth - truth).abs()
    assert 0.74 < float((error < 1.645 * found["yes"].std).double().mean()) < 0.99  # 90 % of 32, within three sigma


def test_evidence_prefers_uncorrelated_sources_where_they_are():
    _, y = paths(0.0)
    batch = make_batch(y)
    plain, auto = Posterior("ula8")(batch, 2), Posterior("ula8", coherent="auto")(batch, 2)
    assert (plain.azimuth == auto.azimuth).all(1).double().mean() > 0.8


def test_an_unknown_way_is_refused():
    with pytest.raises(EstimatorError, match="no, yes, auto"):
        Posterior("ula8", coherent="perhaps")
