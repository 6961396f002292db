"""Functions of direction: on the circle, and on the sphere."""

import torch

from doamc.coupling.angular import angular_functions, sphere_functions, sphere_slopes


def test_functions_on_the_sphere_are_those_of_the_horizon_at_the_horizon():
    azimuth = torch.linspace(-3, 3, 9, dtype=torch.float64)
    found = sphere_functions(azimuth, torch.zeros_like(azimuth), 9)
    assert torch.allclose(found[:5], angular_functions(azimuth, 5), atol=1e-15)
    assert torch.equal(found[5:], torch.zeros_like(found[5:]))


def test_functions_on_the_sphere_are_polynomials_of_the_unit_vector():
    """As many as there are spherical harmonics of degree 2, and independent; no seam at the zenith."""
    azimuth, height = torch.rand(2, 60, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    azimuth, height = 6 * azimuth, 2 * height - 1
    level = (1 - height.square()).sqrt()
    x, y, z = level * azimuth.cos(), level * azimuth.sin(), height
    f = sphere_functions(azimuth, height, 9)
    monomials = torch.stack([x**0, x, y, z, x * y, x * z, y * z, x * x, y * y])
    assert torch.linalg.matrix_rank(f) == 9
    found = torch.linalg.lstsq(monomials.T, f.T).solution
    assert (monomials.T @ found - f.T).abs().max() < 1e-12


def test_slopes_on_the_sphere_are_those_of_autograd():
    azimuth, height = torch.rand(2, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    slopes = sphere_slopes(azimuth, height, 16)
    exact = torch.autograd.functional.jacobian(lambda a, h: sphere_functions(a, h, 16), (azimuth, height))
    for slope, whole in zip(slopes, exact, strict=True):
        assert torch.allclose(slope, whole.diagonal(dim1=1, dim2=2), atol=1e-12)
