"""Monte-Carlo trials: every method sees the same scenes, and what is told of them holds in repetition."""

import itertools
import math

import numpy as np
import pytest
import torch

from doamc.estimators.base import METHODS, Estimator
from doamc.estimators.estimates import Estimates
from doamc.scenes import draw_scene
from doamc.spec import load_spec
from doamc.trials.monte_carlo import compare, rms_deviation, usable_methods


def test_deviation_of_a_root_mean_square_by_repetition():
    error = torch.randn(4000, 50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    predicted = np.mean([rms_deviation(e) for e in error[:500]])
    actual = error.square().mean((1, 2)).sqrt().std().item()
    # of P L = 100 Gaussian errors it is 1 / sqrt(200) of the root; the 4000 repetitions tell it to 1.1 %
    assert actual == pytest.approx(1 / np.sqrt(200), rel=0.05) and predicted == pytest.approx(actual, rel=0.05)
    assert rms_deviation(error[0][:1]) is None and rms_deviation(torch.zeros(3, 1)) == 0.0


class Oracle(Estimator):
    """Knows the scenes that `compare` draws for a seed, and gives their directions, the first scene's turned aside."""

    name, summary = "oracle", "for tests"

    def __init__(self, spec, seed, aside_deg, coupled):
        super().__init__(spec)
        self.seed, self.aside, self.coupled, self.heard = seed, math.radians(aside_deg), coupled, []

    def estimate(self, batch, n_sources):
        scene = draw_scene(self.spec, batch.size, n_sources, 0.0, torch.Generator().manual_seed(self.seed))
        self.heard.append(batch.covariance)
        azimuth = scene.azimuth + 1e-3
        azimuth[0] += self.aside
        unknown = torch.full_like(azimuth, math.nan)
        identity = torch.eye(self.spec.n_elements).to(scene.coupling).expand_as(scene.coupling)
        coupling = scene.coupling if self.coupled else identity
        return Estimates(azimuth, unknown, unknown, coupling, scene.noise_power, torch.full((batch.size,), n_sources))


def test_rows_say_what_the_errors_are():
    spec, ticks = load_spec("ula8"), itertools.count(0.0, 2.0)
    oracles = [Oracle(spec, 3, 5.0, True), Oracle(spec, 3, 0.0, False)]
    rows = compare(spec, oracles, [0.0, 20.0], 2, 50, trials=4, seed=3, clock=lambda: next(ticks))
    assert [(r["snr_db"], r["trials"]) for r in rows] == [(0.0, 4), (0.0, 4), (20.0, 4), (20.0, 4)]
    for one, other in (rows[:2], rows[2:]):
        assert (one["hits"], other["hits"]) == (0.75, 1.0)
        for value in (one["rmse_hit_deg"], other["rmse_hit_deg"], other["rmse_deg"]):
            assert value == pytest.approx(math.degrees(1e-3))
        assert one["rmse_deg"] == pytest.approx(math.sqrt((math.degrees(1e-3) + 5) ** 2 / 4), rel=1e-3)
        assert one["coupling_gain_db"] > 200 and other["coupling_gain_db"] == pytest.approx(0.0, abs=1e-9)
        assert one["ms"] == other["ms"] == 500.0  # two seconds for four scenes
        assert one["bound_deg"] == other["bound_deg"]
    assert rows[0]["bound_deg"] > 3 * rows[2]["bound_deg"]
    assert torch.equal(oracles[0].heard[0], oracles[1].heard[0])  # the same scenes for both


def test_methods_that_do_not_fit_are_left_out_with_the_reason():
    taken, refused = usable_methods(load_spec("uca5"), 2, 20, "cpu", 0)
    assert {"music", "rare", "ml", "posterior"} <= set(taken) and not set(taken) & set(refused)
    assert set(taken) | set(refused) == set(METHODS)
    assert "one after the other" in refused["self-calibrating"] and "uniform linear array" in refused["root-music"]
