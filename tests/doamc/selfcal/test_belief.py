"""The normal belief: the linear case in closed form, forgetting, and what it says of the coupling."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.selfcal.belief import initial_belief, response_matrix
from doamc.selfcal.start import start_family
from doamc.spec import load_spec


@pytest.fixture(scope="module")
def start():
    return start_family(load_spec("ula4"))


def measured(k, seed, rank):
    """A random linear measurement: information (K, K) of given rank and its gradient at zero (K,)."""
    generator = torch.Generator().manual_seed(seed)
    h = torch.randn(rank, k, generator=generator, dtype=torch.float64)
    y = torch.randn(rank, generator=generator, dtype=torch.float64)
    return h, y


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(0.5, 1.0))
def test_in_the_linear_case_it_is_the_weighted_least_squares_of_all_batches(start, seed, batches, share):
    k = start.n_parameters
    belief = initial_belief(start)
    rows, values, weights = [], [], []
    for b in range(batches):
        h, y = measured(k, seed + b, 3)
        belief = belief.forget(share)
        # the posterior of one batch more, by a Kalman update; learn() takes its mean and the information
        covariance = torch.linalg.inv(belief.gathered + torch.eye(k))
        gain = covariance @ h.T @ torch.linalg.inv(h @ covariance @ h.T + torch.eye(3))
        belief = belief.learn(h.T @ h, belief.mean + gain @ (y - h @ belief.mean))
        rows.append(h)
        values.append(y)
        weights = [w * share for w in weights] + [1.0]
    h, y = torch.cat(rows), torch.cat(values)
    w = torch.tensor(weights, dtype=torch.float64).repeat_interleave(3)
    precision = torch.eye(k) + h.T @ (w[:, None] * h)
    torch.testing.assert_close(belief.mean, torch.linalg.solve(precision, h.T @ (w * y)), rtol=1e-8, atol=1e-9)
    found = belief.covariance_root @ belief.covariance_root.T
    torch.testing.assert_close(found, torch.linalg.inv(precision), rtol=1e-8, atol=1e-9)


def test_gradient_and_information_say_the_same_as_mean_and_information(start):
    k = start.n_parameters
    h, y = measured(k, 3, 5)
    z = torch.linspace(-1, 1, k, dtype=torch.float64)
    told = initial_belief(start).plus(h.T @ (y - h @ z), h.T @ h, z)
    mean = torch.linalg.solve(torch.eye(k) + h.T @ h, h.T @ y)
    torch.testing.assert_close(told.mean, mean)
    other = initial_belief(start).learn(h.T @ h, mean)
    torch.testing.assert_close(other.pull, told.pull)


def test_forgetting_ends_at_the_start_prior_and_never_beyond_it(start):
    k = start.n_parameters
    h, y = measured(k, 5, 40)
    belief = initial_belief(start).learn(h.T @ h, y.mean() * torch.ones(k, dtype=torch.float64))
    widths = []
    for _ in range(60):
        belief = belief.forget(0.7)
        widths.append(float(torch.linalg.eigvalsh(belief.covariance_root @ belief.covariance_root.T).max()))
    assert all(a <= b + 1e-12 for a, b in itertools.pairwise(widths)) and widths[-1] <= 1.0
    torch.testing.assert_close(belief.coupling, initial_belief(start).coupling, atol=1e-6, rtol=0)


def test_its_family_has_the_moments_of_the_belief(start):
    k = start.n_parameters
    h, _ = measured(k, 7, 30)
    belief = initial_belief(start).learn(0.2 * h.T @ h, 0.1 * torch.ones(k, dtype=torch.float64))
    draws = belief.family.draw((20000,), torch.Generator().manual_seed(1))
    z = belief.mean + draws @ belief.covariance_root.T
    direct = response_matrix(start, z[0])
    torch.testing.assert_close(belief.family.matrix(draws[:1])[0], direct @ start.projection)
    c = belief.family.matrix(draws)
    c = c / c.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
    spread = (c - belief.coupling).abs().square().mean(0).sqrt()
    # the r.m.s. of 20000 draws has a relative error of 1 %; the scale's own variation is of second order
    torch.testing.assert_close(belief.coupling_std, spread, rtol=0.06, atol=2e-4)
