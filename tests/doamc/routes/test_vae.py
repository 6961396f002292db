"""The VAE over snapshots: its bound, its denoiser, and how little a prior over single snapshots can know."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from doamc.denoising.snapshot_ddim import SnapshotDdim
from doamc.denoising.snapshot_net import clean_snapshots
from doamc.denoising.wiener import subspace_wiener
from doamc.errors import CheckpointError
from doamc.estimators import make_estimator
from doamc.routes.vae import VariationalAutoencoder
from doamc.routes.vae_net import VaeNet, VaeTask, evidence_bound
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.snapshots.noise_level import noise_power_from_eigenvalues
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import edited_spec
from tests.doamc.helpers.wiener import SignalCovariance

SPEC = load_spec("ula8")


def test_the_bound_is_that_of_its_distributions():
    torch.manual_seed(0)
    net = VaeNet(SPEC)
    x = clean_snapshots(SPEC, 6, 2, 1).to(torch.complex64)
    noise = torch.randn(6, net.n_latent)
    mean, log_variance = net.encode(x)
    q = Normal(mean, (0.5 * log_variance).exp())
    kl = kl_divergence(q, Normal(torch.zeros_like(mean), 1.0)).sum(1)
    g = net.decode(mean + q.stddev * noise)
    real = Normal(torch.view_as_real(g), math.sqrt(0.5 * math.exp(net.log_variance.item())))
    log_p = real.log_prob(torch.view_as_real(x)).sum((1, 2))  # CN(g, v) is N(g, v / 2) in each part
    wanted = kl - log_p - 8 * math.log(math.pi)
    assert torch.allclose(evidence_bound(net, x, noise)[0], wanted, rtol=1e-4, atol=1e-3)


def test_without_noise_the_snapshots_are_believed():
    """v / (v + 0) = 1: E[x0 | y, z] = y whatever the decoder says."""
    y = clean_snapshots(SPEC, 5, 2, 3)
    found = VariationalAutoencoder(SPEC).denoise(y, torch.full((5,), 1e-9, dtype=torch.float64))
    assert torch.allclose(found, y, atol=1e-5)


def test_it_denoises_but_less_than_the_batch_itself():
    """0 dB, 100 snapshots. Better than y, as the per-snapshot eps-net is, worse than the batch's own subspace."""
    generator = torch.Generator().manual_seed(14)
    scene = draw_scene(SPEC, 10, 2, 0.0, generator)
    received = receive(scene, 100, generator=generator)
    batch = make_batch(received.snapshots)
    noise = noise_power_from_eigenvalues(batch.covariance, 2)
    denoised = {
        "wiener": SignalCovariance.of(scene.signal_covariance).wiener(scene.noise_power) @ batch.snapshots,
        "subspace": subspace_wiener(batch.covariance, 2, noise) @ batch.snapshots,
        "vae": VariationalAutoencoder(SPEC).estimate(batch, 2).clean,
        "eps": SnapshotDdim(SPEC).estimate(batch, 2).clean,
        "y": batch.snapshots,
    }
    error = {k: float((v - received.clean).abs().square().mean()) for k, v in denoised.items()}
    assert error["wiener"] < error["subspace"] < 0.7 * error["vae"]
    assert error["vae"] == pytest.approx(error["eps"], rel=0.05) and error["eps"] < 0.5 * error["y"]


def test_eq_34_gains_nothing_from_it():
    """40 scenes at 5 dB, L = 200: the median error is above that of the same fit without denoising."""
    generator = torch.Generator().manual_seed(15)
    scene = draw_scene(SPEC, 40, 2, 5.0, generator)
    batch = make_batch(receive(scene, 200, generator=generator).snapshots)
    vae, fit = ((make_estimator(m, SPEC)(batch, 2).azimuth - scene.azimuth).abs().median() for m in ("vae", "fit"))
    assert vae > fit


def test_another_array_is_refused():
    with pytest.raises(CheckpointError, match="was trained for array 'ula8'"):
        VariationalAutoencoder(edited_spec("ula8", geometry={"spacing_wavelengths": 0.45}))


def test_training_lowers_the_bound_and_repeats():
    task = VaeTask(load_spec("ula4"), batch=128)
    assert task.loss(3).item() == task.loss(3).item() != task.loss(4).item()
    before = task.validate()
    optimiser = torch.optim.Adam(task.net.parameters(), 2e-3)
    for step in range(80):
        optimiser.zero_grad()
        task.loss(step).backward()
        optimiser.step()
    after = task.validate()
    assert after["validation"] < before["validation"] - 0.2
    assert after["reconstruction"] < 0.8 * before["reconstruction"]
