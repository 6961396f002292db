"""What every family of coupling matrices must do, as a test class to derive from.

    class TestMyFamily(FamilyContract):
        array = "ula8"

        def make(self):
            return MyFamily()

Draws of the prior, coordinates, matrix and response must agree; nothing here knows which kind of family it has.
"""

import math

import numpy as np
import pytest
import torch

from doamc.coupling.angular import extended_steering
from doamc.coupling.family import CouplingFamily
from doamc.spec import load_spec


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


def volume_of_coordinates(family: CouplingFamily, flat: torch.Tensor, wrapping: torch.Tensor) -> torch.Tensor:
    """log |d theta / d coordinates|, (B,)."""

    def parameters(both: torch.Tensor) -> torch.Tensor:
        return family.from_coordinates(both[: family.n_flat], both[family.n_flat :])

    slopes = [torch.autograd.functional.jacobian(parameters, v) for v in torch.cat([flat, wrapping], 1)]
    return torch.linalg.slogdet(torch.stack(slopes))[1]


def with_adjoints(family: CouplingFamily, c: torch.Tensor, e: torch.Tensor) -> torch.Tensor:
    """E with what the conjugates of the last coefficients add."""
    k = len(family.adjoints)
    return e + torch.einsum("bk,kij->bij", c[:, c.shape[1] - k :].conj(), family.adjoints)


class FamilyContract:
    """array: whose positions the response is computed at. diagonal: how far the mean diagonal of C may be from 1.

    nearest: relative error with which `project` finds a member again; what weighs the prior finds it less exactly.
    """

    array: str
    diagonal = 1e-12
    nearest = 1e-9

    def extended(self, family: CouplingFamily, azimuth: torch.Tensor) -> torch.Tensor:
        """Extended steering vectors at the horizon."""
        return extended_steering(load_spec(self.array).positions, azimuth, family.n_blocks)

    def make(self) -> CouplingFamily:
        raise NotImplementedError

    @pytest.fixture
    def family(self) -> CouplingFamily:
        return self.make()

    @pytest.fixture
    def theta(self, family) -> torch.Tensor:
        return family.draw((5,), generator(1))

    def test_sizes_fit_each_other(self, family, theta):
        n, k, wide = family.n_elements, family.n_parameters, family.n_blocks * family.n_elements
        assert n == load_spec(self.array).n_elements
        assert theta.shape == (5, k) and theta.dtype == torch.float64 and family.draw((), generator(1)).shape == (k,)
        assert family.mean.shape == (n, wide) and family.patterns.shape == (family.n_coefficients, n, wide)
        assert family.centre.shape == (n, n) and family.basis.shape == (k, n, n)
        assert family.linear_basis.shape[1:] == (n, n)
        assert family.n_flat + family.n_wrapping == k and 0 <= family.n_normal <= family.n_flat
        assert family.flat_range.shape == (family.n_flat, 2) and 0 < family.phase_rad <= math.pi
        assert isinstance(family.name, str) and isinstance(family.narrow, bool) and family.outside_db < 0

    def test_the_matrix_is_linear_in_the_parameters(self, family, theta):
        c = family.matrix(theta)
        assert relative(c, family.centre + torch.einsum("bk,kij->bij", theta.to(c.dtype), family.basis)) < 1e-13
        assert relative(family.matrix(torch.zeros_like(theta))[0], family.centre) < 1e-15
        assert relative(family.matrix(theta[0]), c[0]) < 1e-14

    def test_the_mean_diagonal_is_one(self, family, theta):
        assert (family.matrix(theta).diagonal(dim1=1, dim2=2).mean(1) - 1).abs().max() <= self.diagonal

    def test_the_complex_span_of_the_linear_basis_holds_the_family(self, family, theta):
        span, c = (m.flatten(1).T.numpy() for m in (family.linear_basis, family.matrix(theta)))
        assert np.abs(c - span @ np.linalg.lstsq(span, c, rcond=None)[0]).max() < 1e-12

    def test_the_response_is_made_of_coefficients_patterns_and_angular_functions(self, family, theta):
        spec = load_spec(self.array)
        azimuth = torch.tensor([[-0.4, 0.1, 0.7]], dtype=torch.float64).expand(5, -1)
        c = family.coefficients(*family.coordinates(theta))
        e = family.mean + torch.einsum("bk,kij->bij", c, family.patterns)
        e = with_adjoints(family, c, e)
        expected = e @ self.extended(family, azimuth)
        assert relative(family.response(theta, spec.positions, azimuth), expected) < 1e-13

    def test_coordinates_and_parameters_are_two_views(self, family, theta):
        flat, wrapping = family.coordinates(theta)
        assert flat.shape == (5, family.n_flat) and wrapping.shape == (5, family.n_wrapping)
        assert relative(family.from_coordinates(flat, wrapping), theta) < 1e-14

    def test_coefficients_are_made_number_by_number(self, family, theta):
        """Chains stand last in the likelihood: whichever axis counts the coordinates, each has its own coefficient."""
        flat, wrapping = family.coordinates(theta)
        c = family.coefficients(flat, wrapping)
        assert c.is_complex() and torch.equal(family.coefficients(flat.T, wrapping.T), c.T)
        assert c.shape == (5, family.n_coefficients) and relative(family.parameters(c), theta) < 1e-14

    def test_draws_lie_in_the_support_and_are_reproducible(self, family):
        many = family.draw((400,), generator(2))
        flat, wrapping = family.coordinates(many)
        low, high = family.flat_range.unbind(1)
        assert (flat >= low - 1e-12).all() and (flat <= high + 1e-12).all()
        assert (wrapping.abs() <= family.phase_rad + 1e-12).all()
        assert torch.isfinite(family.log_prior(many)).all()
        assert torch.equal(many, family.draw((400,), generator(2)))
        assert not torch.equal(many, family.draw((400,), generator(3)))

    def test_the_prior_is_simple_in_the_coordinates_of_each_kind(self, family):
        """Density by coordinates, log prior + log |d theta / d coordinates|: constant, or standard normal."""
        for _, kind, _ in family.kinds:
            theta = kind.draw((6,), generator(4))
            flat, wrapping = kind.coordinates(theta)
            density = kind.log_prior(theta) + volume_of_coordinates(kind, flat, wrapping)
            density = density + 0.5 * flat[:, : kind.n_normal].square().sum(1)
            assert (density - density[0]).abs().max() < 1e-9

    def test_beyond_a_uniform_range_there_is_nothing(self, family):
        flat, wrapping = (c.mean(0) for c in family.coordinates(family.draw((50,), generator(5))))
        for k in range(family.n_normal, family.n_flat):
            low, high = family.flat_range[k].tolist()
            for value in (1.001 * high + 1e-9, 0.999 * low - 1e-9):
                if value > 0:
                    moved = flat.clone()
                    moved[k] = value
                    assert family.log_prior(family.from_coordinates(moved, wrapping)) == -math.inf

    def test_moments_are_those_of_the_draws(self, family):
        """Mean and power of the deviations of E over 4000 draws: the mean's error is a part in sqrt(4000)."""
        mean, patterns, projection = family.moments()
        c = family.coefficients(*family.coordinates(family.draw((4000,), generator(6))))
        e = torch.einsum("bk,kij->bij", c, family.patterns)
        e = with_adjoints(family, c, e)
        away = e + family.mean - mean
        power = float(patterns.abs().square().sum())
        assert float(away.mean(0).abs().square().sum()) < 4 * power / 4000 + 4 * power / 20000
        assert float(away.abs().square().sum((1, 2)).mean()) == pytest.approx(power, rel=0.1)
        assert relative(mean @ projection, family.matrix(family.draw((20000,), generator(7)).mean(0))) < 0.02

    def test_kinds_share_the_prior_among_them(self, family, theta):
        kinds = family.kinds
        assert sum(math.exp(share) for share, _, _ in kinds) == pytest.approx(1.0, abs=1e-6)
        for _, kind, scale in kinds:
            assert [k.n_parameters for _, k, _ in kind.kinds] == [family.n_parameters]
            assert relative(kind.matrix(theta), family.matrix(scale * theta)) < 1e-12

    def test_a_member_is_found_again_at_any_scale(self, family, theta):
        c = family.matrix(theta)
        c = c / c.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
        assert relative(family.matrix(family.project((2 - 1j) * c)), c) < self.nearest
