"""A scene survives the way into the network's state and back."""

import pytest
import torch

from doamc.posterior.proposals.scene_vector import make_layout
from doamc.spec import load_spec
from tests.doamc.likelihood.scenes import observed


@pytest.mark.parametrize("array", ["ula8", "uca5", "seed16"])
def test_state_keeps_a_scene(array):
    spec = load_spec(array)
    layout = make_layout(spec)
    for p in range(spec.source_count[0], spec.source_count[1] + 1):
        scene = observed(array, 50, p, 10, 5.0)[0]
        z = layout.encode(scene)
        assert z.shape == (50, layout.size) and (z[layout.mask(torch.full((50,), p)) == 0] == 0).all()
        azimuth, power_db, theta, noise_db = layout.decode(z, p)
        assert torch.allclose(azimuth, scene.azimuth, atol=2e-3)  # float32 of a sine near 60 deg
        assert torch.allclose(power_db, 10 * scene.power.log10(), atol=1e-3)
        assert torch.allclose(theta, scene.theta, atol=1e-4)
        assert torch.allclose(noise_db, 10 * scene.noise_power.log10(), atol=1e-3)
