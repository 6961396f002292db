"""Every measure of calibration on a posterior in closed form: right, too narrow, too wide, biased.

Linear Gaussian model: t ~ N(0, I), y = A t + e, e ~ N(0, s2 I); the posterior is N(m, S), S = (I + A'A / s2)^-1 and
m = S A' y / s2.
"""

import math

import pytest
import torch

from doamc.estimators.intervals import NORMAL_90
from doamc.trials.calibration import Case, Trials
from doamc.trials.diagnosis import LEVELS, diagnose
from doamc.trials.ranks import ranks_of
from doamc.trials.tarp import tarp_shares

SCENES, SAMPLES, SIZE = 2000, 400, 3


def diagnosed(width=1.0, bias=0.0):
    """Diagnosis of a posterior whose deviations are off by a factor, and whose mean by so many of them."""
    generator = torch.Generator().manual_seed(5)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    a, s2 = normal(4, SIZE), 0.5
    truth = normal(SCENES, SIZE, 1)
    y = a @ truth + s2**0.5 * normal(SCENES, 4, 1)
    covariance = torch.linalg.inv(torch.eye(SIZE, dtype=torch.float64) + a.T @ a / s2)
    root, mean = torch.linalg.cholesky(covariance), covariance @ a.T @ y / s2
    deviation = covariance.diagonal().sqrt()
    samples = mean + bias * deviation[:, None] + width * root @ normal(SCENES, SIZE, SAMPLES)
    std = (width * deviation).expand(SCENES, SIZE)
    error = samples.median(2)[0] - truth[..., 0]
    trials = Trials(
        quantities=["azimuth 1", "azimuth 2", "noise"],
        rank=ranks_of(truth, samples, generator), share=(samples < truth).double().mean(2),
        tarp=tarp_shares(truth, samples, generator), error=error, std=std, bound=deviation.expand(SCENES, SIZE),
        held=error.abs() < NORMAL_90 * std, hit=torch.ones(SCENES, dtype=torch.bool),
        limit=deviation.expand(SCENES, SIZE), independent=torch.full((SCENES,), float(SAMPLES)),
    )  # fmt: skip
    return diagnose(Case(2, 10), trials)


def test_the_right_posterior_is_called_right():
    told = diagnosed()
    assert min(told["p_ranks"].values()) > 0.01 and told["tarp"]["p_band"] > 0.01
    for shares in told["coverage"].values():
        for (share, low, high), level in zip(shares, LEVELS, strict=True):
            # four standard deviations of 2000 scenes; a share of 400 samples is one of 401
            assert share == pytest.approx(level, abs=4 * (level * (1 - level) / SCENES) ** 0.5 + 1 / SAMPLES)
            assert low < share < high
    assert told["reported_90"][0] == pytest.approx(0.9, abs=0.02)
    assert told["sharpness"]["std_over_bound"] == told["sharpness"]["std_over_limit"] == pytest.approx([1.0, 1.0, 1.0])
    assert told["hits"][0] == 1.0 and told["scenes"] == SCENES
    assert list(told["coverage"]) == ["azimuths", "noise"]


@pytest.mark.parametrize(("width", "bias"), [(0.8, 0.0), (1.25, 0.0), (1.0, 0.5)], ids=["narrow", "wide", "biased"])
def test_a_wrong_posterior_is_told_by_each_measure(width, bias):
    told, right = diagnosed(width, bias), diagnosed()
    assert max(told["p_ranks"].values()) < 1e-3
    assert told["tarp"]["p_band"] < 0.01
    p = [q[key] for q in told["quantities"].values() for key in ("p_chi_square", "p_band")]
    assert max(p) < 0.01
    change = [a[0] - b[0] for a, b in zip(told["coverage"]["azimuths"], right["coverage"]["azimuths"], strict=True)]
    wider = width > 1
    assert all((c > 0.004) if wider else (c < -0.004) for c in change)  # 0.99 has the least room above it
    assert told["sharpness"]["std_over_bound"][1] == pytest.approx(width)
    assert (told["reported_90"][0] > 0.92) if wider else (told["reported_90"][0] < 0.89)


def test_there_is_no_deviation_over_a_bound_that_is_infinite():
    one = torch.ones(3, 1, dtype=torch.float64)
    trials = Trials(
        quantities=["azimuth 1"], rank=torch.zeros(3, 1), share=one / 2, tarp=one[:, 0] / 2, error=one, std=one,
        bound=torch.tensor([[math.inf], [2.0], [math.inf]]), held=one > 0, hit=one[:, 0] > 0, limit=math.nan * one,
        independent=torch.full((3,), math.inf),
    )  # fmt: skip
    assert diagnose(Case(1, 10), trials)["sharpness"]["std_over_bound"] == [0.5, 0.5, 0.5]
