"""Correlated sources: the factor, and the likelihood with it."""

import math

import pytest
import torch

from doamc.likelihood.coordinates import make_coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.fisher import information
from doamc.likelihood.source_correlation import factor, factor_angles, factor_slopes
from tests.doamc.likelihood.scenes import observed


def angles(n_sources: int, batch: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Angles and phases (B, pairs, 4)."""
    u = torch.rand(2, batch, n_sources * (n_sources - 1) // 2, 4, generator=torch.Generator().manual_seed(1))
    return (0.5 * math.pi * u[0]).double(), (2 * math.pi * (u[1] - 0.5)).double()


@pytest.mark.parametrize("n_sources", [2, 3, 4])
def test_factor_gives_correlation_matrices_and_is_undone(n_sources):
    angle, phase = angles(n_sources)
    gamma = factor(angle, phase, n_sources).permute(0, 3, 1, 2)
    correlation = gamma @ gamma.mH
    assert torch.allclose(correlation.diagonal(dim1=-2, dim2=-1).real, torch.ones(3, 4, n_sources, dtype=torch.float64))
    assert (torch.linalg.eigvalsh(correlation) > -1e-12).all()
    if n_sources == 2:
        assert torch.allclose(correlation[..., 1, 0], torch.polar(angle.sin(), phase)[:, 0])
    found, turn = factor_angles(correlation)
    again = factor(found.transpose(1, 2), turn.transpose(1, 2), n_sources).permute(0, 3, 1, 2)
    assert (again @ again.mH - correlation).abs().max() < 1e-4  # of the floor under its eigenvalues


@pytest.mark.parametrize("n_sources", [2, 3])
def test_slopes_are_central_differences(n_sources):
    angle, phase = angles(n_sources)
    by_angle, by_phase = factor_slopes(angle, phase, n_sources)
    step = 1e-6
    for k in range(angle.shape[1]):
        d = torch.zeros_like(angle)
        d[:, k] = step
        ahead, behind = factor(angle + d, phase, n_sources), factor(angle - d, phase, n_sources)
        assert torch.allclose(by_angle[:, k], (ahead - behind) / (2 * step), atol=1e-9)
        ahead, behind = factor(angle, phase + d, n_sources), factor(angle, phase - d, n_sources)
        assert torch.allclose(by_phase[:, k], (ahead - behind) / (2 * step), atol=1e-9)


@pytest.mark.parametrize(("array", "n_sources"), [("ula8", 2), ("ula8", 3), ("uca5", 2), ("seed16", 3)])
def test_posterior_is_the_dense_gaussian_one(array, n_sources):
    scene, rhat, count = observed(array, 3, n_sources, 50, 10.0)
    coordinates = make_coordinates(scene.spec, n_sources, True, (-60.0, 40.0), coherent=True)
    posterior = ExactPosterior(coordinates, rhat, count, None)
    angle, phase = (v[..., :1] for v in angles(n_sources))
    flat, wrapping = scene.spec.family.coordinates(scene.theta)
    noise_db, power_db = 10 * scene.noise_power.log10()[:, None, None], 10 * scene.power.log10()[..., None]
    x = coordinates.join(
        power_db, flat[..., None], noise_db, scene.azimuth[..., None], wrapping[..., None], (angle, phase)
    )
    v = scene.response * scene.power.sqrt()[:, None] @ factor(angle, phase, n_sources)[..., 0]
    r = v @ v.mH + scene.noise_power[:, None, None] * torch.eye(v.shape[1])
    trace = torch.linalg.solve(r, rhat).diagonal(dim1=1, dim2=2).real.sum(1)
    expected = -count * (torch.linalg.slogdet(r)[1] + trace)
    assert torch.allclose(posterior.log_posterior(x)[:, 0], expected, rtol=1e-10)
    assert torch.allclose(posterior(x)[:, 0], expected, rtol=1e-10)
    z = torch.randn(3, coordinates.size, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    x = (x + 0.002 * z).requires_grad_()
    (slope,) = torch.autograd.grad(posterior.log_density(x).sum(), x)
    for gradient, _ in (information(posterior, x.detach()), posterior.backend.information(x.detach())):
        assert (gradient.transpose(1, 2) - slope).abs().max() < 1e-8 * slope.abs().max()
    f, compiled = information(posterior, x.detach())[1], posterior.backend.information(x.detach())[1]
    assert torch.allclose(f, compiled, atol=1e-9 * float(f.abs().max()))
