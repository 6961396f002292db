"""Denoisers over the coupling against draws from the prior."""

import pytest
import torch

from doamc.diffusion.schedule import VPSchedule
from doamc.errors import CheckpointError
from doamc.routes.coupling_prior import (
    CouplingScale,
    CouplingTask,
    NetworkDenoiser,
    QuadratureDenoiser,
    open_denoiser,
)
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import edited_spec, uncoupled_spec


def level(log_snr):
    t = VPSchedule().time(torch.tensor(log_snr, dtype=torch.float64))
    return float(VPSchedule().alpha(t)), float(VPSchedule().sigma(t))


def normalised(spec, count, seed):
    scale = CouplingScale.of(spec.family)
    return (spec.family.draw((count,), torch.Generator().manual_seed(seed)) - scale.mean) / scale.deviation


@pytest.mark.parametrize("array", ["ula8", "seed16", "uca5"])
def test_the_scale_makes_mean_0_and_variance_1(array):
    """200000 draws: standard errors of 0.0022 and 0.003. A limited phase makes Re and Im of c differ in spread."""
    spec = load_spec(array)
    u = normalised(spec, 200_000, 1)
    assert u.mean(0).abs().max() < 0.015
    k = spec.family.n_coefficients
    pair = 0.5 * (u[:, :k].var(0) + u[:, k:].var(0))
    assert (pair - 1).abs().max() < 0.02


@pytest.mark.parametrize("log_snr", [-3.0, 0.0, 3.0])
def test_quadrature_gives_the_posterior_mean(log_snr):
    """Against the mean of 400000 prior draws weighted by N(u_t; alpha u_0, sigma^2), coefficient by coefficient."""
    spec = load_spec("ula8")
    alpha, sigma = level(log_snr)
    u, z = normalised(spec, 400_000, 2), normalised(spec, 5, 3)
    u_t = alpha * z + sigma * torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    found = QuadratureDenoiser(spec)(u_t, alpha, sigma)
    for i in range(5):
        for k in range(2):
            pick = [k, k + 2]
            w = torch.softmax(-(u_t[i, pick] - alpha * u[:, pick]).square().sum(1) / (2 * sigma**2), 0)
            wanted = (w[:, None] * u[:, pick]).sum(0)
            spread = ((w**2)[:, None] * (u[:, pick] - wanted).square()).sum(0).sqrt().max()
            assert (found[i, pick] - wanted).abs().max() < 5 * float(spread) + 0.01


def test_an_uncoupled_array_has_no_coupling():
    u = QuadratureDenoiser(uncoupled_spec("ula8"))(torch.randn(3, 4, dtype=torch.float64), *level(1.0))
    assert u.abs().max() < 1e-9


@pytest.mark.parametrize("array", ["ula8", "uca5"])
def test_the_learnt_score_is_the_priors(array):
    """Its error as a denoiser exceeds the exact one by at most a twentieth of the variance 1 at any noise level."""
    spec = load_spec(array)
    net, exact = open_denoiser(spec, None), QuadratureDenoiser(spec)
    assert isinstance(net, NetworkDenoiser)
    u = normalised(spec, 4000, 5)
    for log_snr in (-4.0, -1.0, 1.0, 3.0, 5.0):
        alpha, sigma = level(log_snr)
        u_t = alpha * u + sigma * torch.randn(u.shape, dtype=u.dtype, generator=torch.Generator().manual_seed(6))
        error = [float((d(u_t, alpha, sigma) - u).square().mean()) for d in (net, exact)]
        assert error[1] - 0.01 < error[0] < error[1] + 0.05


def test_arrays_without_weights_take_quadrature_and_named_weights_must_fit():
    assert isinstance(open_denoiser(load_spec("ula4"), None), QuadratureDenoiser)
    other = edited_spec("ula8", geometry={"spacing_wavelengths": 0.45})
    assert isinstance(open_denoiser(other, None), QuadratureDenoiser)
    with pytest.raises(CheckpointError, match=r"no weights at nothing\.safetensors"):
        open_denoiser(load_spec("ula8"), "nothing.safetensors")


def test_training_lowers_the_loss_and_repeats():
    """On the same held-out draws; what is left of the loss is mostly noise that no net can tell."""
    task = CouplingTask(load_spec("ula4"), batch=256)
    assert task.loss(3).item() == task.loss(3).item() != task.loss(4).item()
    before = task.validate()["validation"]
    optimiser = torch.optim.Adam(task.net.parameters(), 3e-3)
    for step in range(150):
        optimiser.zero_grad()
        task.loss(step).backward()
        optimiser.step()
    assert task.validate()["validation"] < before - 0.001
