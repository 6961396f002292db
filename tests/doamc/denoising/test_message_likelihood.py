"""The likelihood of a scene given messages, against its definition and its limits."""

import math

import pytest
import torch

from doamc.denoising.message_likelihood import MessagePosterior
from doamc.denoising.messages import Messages, empty
from doamc.posterior.methods import Posterior
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.helpers.qpsk import white


def problem(array, known_noise=False):
    spec, generator = load_spec(array), torch.Generator().manual_seed(2)
    scene = draw_scene(spec, 3, 2, 5.0, generator)
    y = receive(scene, 60, generator=generator).snapshots
    batch = make_batch(y, noise_power=scene.noise_power if known_noise else None)
    (part,) = Posterior(spec).samples(batch, 2)
    posterior, y = part.samples.posterior, y * part.gain.sqrt()[:, None, None]
    told = Messages(0.7 * white((3, 2, 60), generator), torch.tensor([[0.3, 0.6]] * 3).double(), y, y)
    return posterior, part.samples.x[:, :, ::300], y, told


@pytest.mark.parametrize("array", ["ula8", "uca5", "kraken5"])
def test_it_is_the_density_of_the_snapshots(array):
    posterior, x, y, told = problem(array)
    length = torch.full((3,), 60.0, dtype=torch.float64)
    found = MessagePosterior.of(posterior, y, told, length)
    z = found.coordinates.turned(x)
    z[:, -2:] = 0.3 * torch.randn(z[:, -2:].shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    v, s2 = found.response(z), found.noise_power(z)
    r = (v * told.variance[:, None, None]) @ v.mH + s2[..., None, None] * torch.eye(v.shape[2])
    left = y[:, None] - v @ told.mean[:, None]
    quadratic = (left.conj() * torch.linalg.solve(r, left)).real.sum((2, 3))
    expected = -60 * torch.linalg.slogdet(r)[1] - quadratic
    torch.testing.assert_close(found.log_likelihood(z), expected)


@pytest.mark.parametrize("known_noise", [False, True])
def test_without_messages_it_is_the_gaussian_one(known_noise):
    posterior, x, y, _ = problem("uca5", known_noise)
    found = MessagePosterior.of(posterior, y, empty(y, 2), posterior.snapshots[:, 0])
    torch.testing.assert_close(found(found.coordinates.turned(x)), posterior(x))


@pytest.mark.parametrize(("array", "known_noise"), [("ula8", False), ("uca5", True), ("kraken5", False)])
def test_the_gradient_is_the_slope_and_the_information_its_mean_square(array, known_noise):
    posterior, x, y, told = problem(array, known_noise)
    found = MessagePosterior.of(posterior, y, told, torch.full((3,), 60.0, dtype=torch.float64))
    z = found.coordinates.turned(x[:, :, :2])
    gradient, information = found.information(z)
    step = 1e-5 * torch.eye(z.shape[1], dtype=torch.float64)
    slopes = [(found.log_density(z + h[:, None]) - found.log_density(z - h[:, None])) / 2e-5 for h in step]
    torch.testing.assert_close(gradient, torch.stack(slopes, -1), rtol=1e-5, atol=1e-3)
    assert (torch.linalg.eigvalsh(information) > -1e-6).all()


def test_known_waveforms_bring_the_bound_for_known_waveforms():
    """With messages of no doubt the information about the scene is that of the mean alone."""
    posterior, x, y, told = problem("ula8")
    sure = Messages(told.mean, 1e-9 * told.variance, y, y)
    found = MessagePosterior.of(posterior, y, sure, torch.full((3,), 60.0, dtype=torch.float64))
    z = found.coordinates.turned(x[:, :, :1])
    place = found.coordinates.noise_place
    mu = lambda at: (found.response(at) @ told.mean[:, None]).flatten(1)  # noqa: E731
    step = 1e-6 * torch.eye(z.shape[1], dtype=torch.float64)
    j = torch.stack([(mu(z + h[:, None]) - mu(z - h[:, None])) / 2e-6 for h in step], 1)
    expected = 2 * (j.conj() @ j.mT).real / found.noise_power(z)[..., None]
    rest = [i for i in range(z.shape[1]) if i != place]
    torch.testing.assert_close(
        found.information(z)[1][:, 0][:, rest][:, :, rest], expected[:, rest][:, :, rest], rtol=1e-4, atol=1e-3
    )
    assert math.isclose(float(found.information(z)[1][0, 0, place, place]), 60 * 8, rel_tol=1e-3)
