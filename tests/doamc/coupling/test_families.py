import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.coupling.families import FAMILIES, make_family
from doamc.errors import SpecificationError

MADE = {
    "symmetric-toeplitz": make_family("symmetric-toeplitz", 6, [[0.1, 0.4], [0.05, 0.2]]),
    "hermitian-toeplitz": make_family("hermitian-toeplitz", 6, [[0.1, 0.4], [0.05, 0.2]], 30.0),
    "circulant": make_family("circulant", 5, [[0.25, 0.5], [0.1, 0.3]]),
    "circulant-even": make_family("circulant", 4, [[0.25, 0.5], [0.1, 0.3]], 90.0),
    "reciprocal": make_family("reciprocal", 5, [[0.1, 0.4], [0.05, 0.2]], 180.0, 0.15),
}
each_family = pytest.mark.parametrize("family", MADE.values(), ids=MADE)
seeds = st.integers(0, 2**31)


def drawn(family, seed, n=4):
    return family.draw((n,), torch.Generator().manual_seed(seed))


def test_every_family_is_tested():
    assert {f.name for f in MADE.values()} == set(FAMILIES)


@each_family
@settings(max_examples=15)
@given(seed=seeds)
def test_projection_undoes_the_matrix_at_any_scale(family, seed):
    theta = drawn(family, seed)
    scale = 3.0 * np.exp(2.0j)  # a coupling matrix is known up to a complex factor
    assert (family.project(scale * family.matrix(theta)) - theta).abs().max() < 1e-10


@each_family
def test_projection_of_another_matrix_is_the_nearest_member(family):
    generator = torch.Generator().manual_seed(5)
    n = family.n_elements
    noise = torch.complex(*(torch.randn(2, n, n, dtype=torch.float64, generator=generator)))
    target = torch.eye(n) + 0.2 * (noise - torch.eye(n) * noise.diagonal().mean())
    best = family.project(target[None])[0]
    distance = (family.matrix(best) - target).norm()
    for step in 1e-3 * torch.eye(len(best), dtype=torch.float64):
        assert (family.matrix(best + step) - target).norm() > distance
        assert (family.matrix(best - step) - target).norm() > distance


@each_family
@settings(max_examples=15)
@given(seed=seeds)
def test_mean_diagonal_is_one_and_the_matrix_is_reciprocal_or_hermitian(family, seed):
    c = family.matrix(drawn(family, seed))
    assert (c.diagonal(dim1=1, dim2=2).mean(1) - 1).abs().max() < 1e-14
    assert torch.equal(c, c.mH if family.name == "hermitian-toeplitz" else c.mT)
    other = c.mT if family.name == "hermitian-toeplitz" else c.mH
    assert (c - other).abs().max() > 1e-3  # complex coefficients: it cannot be both


@each_family
def test_basis_is_the_derivative_of_the_matrix(family):
    theta = drawn(family, 3, 1)
    for k, e in enumerate(family.basis):
        step = torch.zeros_like(theta)
        step[0, k] = 0.5  # exact for a linear family
        assert ((family.matrix(theta + step) - family.matrix(theta))[0] - 0.5 * e).abs().max() < 1e-14


@each_family
def test_complex_span_of_the_linear_basis_holds_the_family(family):
    b = family.linear_basis.flatten(1).T.numpy()
    c = family.matrix(drawn(family, 4)).flatten(1).T.numpy()
    left = c - b @ np.linalg.lstsq(b, c, rcond=None)[0]
    assert np.abs(left).max() < 1e-12
    assert np.linalg.matrix_rank(b) == b.shape[1]


@each_family
def test_coefficients_and_real_parameters_are_two_views(family):
    theta = drawn(family, 6)
    assert theta.shape == (4, 2 * family.n_coefficients)
    assert torch.equal(family.parameters(family.complex(theta)), theta)


def test_symmetric_toeplitz_by_scipy():
    family = MADE["symmetric-toeplitz"]
    c = [1.0, 0.3 * np.exp(1j), 0.1 * np.exp(-2j), 0, 0, 0]
    theta = family.parameters(torch.tensor(c[1:3]))
    # giving the row explicitly keeps scipy from conjugating it
    assert np.allclose(family.matrix(theta).numpy(), scipy.linalg.toeplitz(c, c))


def test_hermitian_toeplitz_has_c_above_the_diagonal():
    family = MADE["hermitian-toeplitz"]
    c = np.array([1.0, 0.3 * np.exp(1j), 0.1 * np.exp(-2j), 0, 0, 0])
    theta = family.parameters(torch.tensor(c[1:3]))
    assert np.allclose(family.matrix(theta).numpy(), scipy.linalg.toeplitz(c.conj(), c))


def test_circulant_by_scipy():
    family = MADE["circulant"]
    c1, c2 = 0.3j, -0.1 + 0.05j
    theta = family.parameters(torch.tensor([c1, c2]))
    assert np.allclose(family.matrix(theta).numpy(), scipy.linalg.circulant([1, c1, c2, c2, c1]))


def test_reciprocal_has_one_coefficient_a_near_pair_and_free_diagonal_differences():
    family = MADE["reciprocal"]
    assert family.n_coefficients == 4 + 3 + 4  # pairs one apart, pairs two apart, N - 1 diagonal differences
    theta = drawn(family, 7, 200)
    c = family.matrix(theta)
    assert (c[:, 0, 3] == 0).all() and (c[:, 0, 2].abs() > 0.05 - 1e-12).all()
    assert (c.diagonal(dim1=1, dim2=2)[:, :-1] - 1).abs().max() <= 0.15


@each_family
@settings(max_examples=10)
@given(seed=seeds)
def test_draws_lie_within_the_support_of_the_prior(family, seed):
    theta = drawn(family, seed, 50)
    size, phase = family.complex(theta).abs(), family.complex(theta).angle()
    low, high = family.magnitude.unbind(-1)
    assert (size >= low - 1e-12).all() and (size <= high + 1e-12).all()
    assert (phase.abs() <= family.phase_rad + 1e-12).all()


@pytest.mark.parametrize("name", ["symmetric-toeplitz", "hermitian-toeplitz", "circulant-even"])
def test_log_prior_is_finite_inside_and_minus_infinity_outside(name):
    family = MADE[name]
    middle = family.magnitude.mean(1)
    inside = family.parameters(torch.polar(middle, torch.zeros_like(middle)))
    assert torch.isfinite(family.log_prior(inside))
    outside = [1.01 * family.magnitude[:, 1], 0.99 * family.magnitude[:, 0]]
    for size in outside:
        assert family.log_prior(family.parameters(torch.polar(size, torch.zeros_like(size)))) == -math.inf
    if family.phase_rad < 3:
        turned = family.parameters(torch.polar(middle, torch.full_like(middle, 1.05 * family.phase_rad)))
        assert family.log_prior(turned) == -math.inf


def test_log_prior_is_the_density_of_the_draws_in_the_plane():
    """Uniform magnitude and phase have density 1 / |c| by area: ratios of log_prior against a histogram of draws."""
    family = make_family("symmetric-toeplitz", 4, [[0.1, 0.5]], 90.0)
    c = family.complex(drawn(family, 8, 200_000))[:, 0]
    # squares of side 0.06 around two points of different magnitude; relative error 3 / sqrt(count) is below 0.06
    centres, counts = torch.tensor([0.15 + 0.05j, 0.35 - 0.2j]), []
    for centre in centres:
        counts.append(float((((c - centre).real.abs() < 0.03) & ((c - centre).imag.abs() < 0.03)).sum()))
    ratio = (family.log_prior(family.parameters(centres[:, None].to(torch.complex128))).diff()).exp()
    assert counts[1] / counts[0] == pytest.approx(float(ratio), rel=0.06)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("magic", 4, [[0, 1]]), "coupling family must be one of .*circulant.*, found 'magic'"),
        (("circulant", 5, [[0, 1]] * 3), "takes 1 to 2 magnitude ranges, found 3"),
        (("symmetric-toeplitz", 4, []), "takes 1 to 3 magnitude ranges, found 0"),
        (("symmetric-toeplitz", 4, [[0.5, 0.1]]), "0 <= low <= high"),
        (("symmetric-toeplitz", 4, [[-0.5, 0.1]]), "0 <= low <= high"),
        (("symmetric-toeplitz", 4, [[0.1]]), "0 <= low <= high"),
    ],
)
def test_impossible_families_are_refused(arguments, message):
    with pytest.raises(SpecificationError, match=message):
        make_family(*arguments)
