"""The compiled loops on the CPU, tensor operations where they are asked for or the device is another one."""

import torch

from doamc.likelihood import backend
from doamc.likelihood.library import open_library
from doamc.likelihood.tensors import TensorBackend
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of


def test_the_best_variant_is_taken_on_the_cpu_alone(monkeypatch):
    monkeypatch.delenv("DOAMC_LOOPS", raising=False)
    assert backend.loops_for(torch.device("cpu")).variant == open_library()[1][-1]
    assert backend.loops_for(torch.device("cuda")) is None


def test_tensors_can_be_asked_for(monkeypatch):
    monkeypatch.setenv("DOAMC_LOOPS", "tensors")
    scene, rhat, count = observed("ula8", 2, 2, 50, 10.0)
    coordinates = coordinates_of(scene, True)
    posterior = posterior_of(coordinates, scene, rhat, count)
    x = point_of(coordinates, scene)
    assert isinstance(posterior.backend, TensorBackend)
    assert torch.equal(posterior(x), posterior.log_posterior(x))
