"""Correlated sources: the factor, the likelihood with it, and the bearings of two coherent paths."""

import math

import pytest
import torch

from doamc.errors import EstimatorError
from doamc.estimators.base import make_estimator
from doamc.likelihood.coordinates import make_coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.fisher import information
from doamc.likelihood.source_correlation import factor, factor_angles, factor_slopes
from doamc.posterior.methods import Posterior
from doamc.scenes import draw_scene
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.posterior.scenes import observed


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
    assert torch.allclose(posterior.native(x)[:, 0], expected, rtol=1e-10)
    z = torch.randn(3, coordinates.size, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    x = (x + 0.002 * z).requires_grad_()
    (slope,) = torch.autograd.grad(posterior.log_density(x).sum(), x)
    for gradient, _ in (information(posterior, x.detach()), posterior.native.information(x.detach())):
        assert (gradient.transpose(1, 2) - slope).abs().max() < 1e-8 * slope.abs().max()
    f, native = information(posterior, x.detach())[1], posterior.native.information(x.detach())[1]
    assert torch.allclose(f, native, atol=1e-9 * float(f.abs().max()))


def paths(correlation: float, batch: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
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
    assert rate["yes"] >= 0.9 and rate["auto"] >= 0.9
    assert rate["yes"] > rate["no"]
    assert rate["yes"] > hits(make_estimator("music-smoothed", "ula8")(batch, 2).azimuth, truth)
    error = (found["yes"].azimuth - truth).abs()
    assert 0.75 < float((error < 1.645 * found["yes"].std).double().mean()) < 0.99  # 90 % of 48, within three sigma


def test_evidence_prefers_uncorrelated_sources_where_they_are():
    _, y = paths(0.0)
    batch = make_batch(y)
    plain, auto = Posterior("ula8")(batch, 2), Posterior("ula8", coherent="auto")(batch, 2)
    assert (plain.azimuth == auto.azimuth).all(1).double().mean() > 0.8


def test_an_unknown_way_is_refused():
    with pytest.raises(EstimatorError, match="no, yes, auto"):
        Posterior("ula8", coherent="perhaps")
