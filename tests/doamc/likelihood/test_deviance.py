"""Deviance of batches that the model describes: closed forms against draws, and against chi-square."""

import math

import numpy as np
import pytest
import torch

from doamc.likelihood.deviance import deviance, expected_deviance
from doamc.scenes.wishart import draw_covariance


def lengths(*values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("snapshots", [8, 12, 60, 1000])
def test_mean_and_deviation_of_a_known_covariance(snapshots):
    n, count = 5, 4000
    rng = np.random.default_rng(1)
    root = torch.view_as_complex(torch.from_numpy(rng.standard_normal((n, n, 2))))
    r = root @ root.mH + torch.eye(n)
    found = draw_covariance(r.expand(count, n, n), torch.full((count,), float(snapshots)), rng)
    inverse = torch.linalg.inv(r)
    log_density = -snapshots * (torch.linalg.slogdet(r)[1] + (inverse @ found).diagonal(dim1=1, dim2=2).real.sum(1))
    values = deviance(log_density, found, torch.full((count,), float(snapshots), dtype=torch.float64)).numpy()
    mean, std = (float(v) for v in expected_deviance(n, lengths(snapshots), 0))
    assert values.mean() == pytest.approx(mean, abs=4 * std / math.sqrt(count))
    assert values.std() == pytest.approx(std, rel=0.08)  # four standard errors of tails a little heavier than normal


def test_for_many_snapshots_it_is_chi_square():
    mean, std = (float(v) for v in expected_deviance(8, lengths(1e6), 5))
    assert mean == pytest.approx(64 - 5, rel=1e-3) and std == pytest.approx(math.sqrt(2 * 59), rel=1e-3)


def test_there_is_none_for_fewer_snapshots_than_elements():
    eye = torch.eye(4, dtype=torch.complex128).expand(2, -1, -1)
    found = deviance(lengths(-1.0, -16.0), eye, lengths(3.0, 4.0))
    assert found.isnan().tolist() == [True, False] and float(found[1]) == 0
