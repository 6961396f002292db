"""Arrays that lost elements: directions found after completion, against the bound of the elements that are left."""

import numpy as np
import pytest
import torch
from benchmarks.yardsticks.stochastic_bound import stochastic_crb

from doamc.arrays.steering import steering
from doamc.denoising.completion import complete_channels, sparse_spectrum
from doamc.errors import SamplerError
from doamc.estimators import make_estimator
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from tests.doamc.helpers.scenes import fixed_scene, uncoupled_spec

SPEC = uncoupled_spec("ula8")


@pytest.mark.parametrize("live", [[0, 1, 3, 4, 6, 7], [0, 2, 3, 4, 5, 7]], ids=["2 and 5 lost", "1 and 6 lost"])
def test_two_of_eight_lost(live):
    """Root-MUSIC, which needs the whole line, is within 1.2 of the bound of the six elements; without completion it
    is not.
    """
    scenes, length = 60, 200
    g = torch.Generator().manual_seed(4)
    scene = draw_scene(SPEC, scenes, 2, 10.0, g)
    y = receive(scene, length, generator=g).snapshots
    dead = [k for k in range(8) if k not in live]
    y[:, dead] *= 1e-3
    rows = zip(scene.azimuth.numpy(), scene.power.numpy(), scene.noise_power.numpy(), strict=True)
    bound = torch.from_numpy(np.array([stochastic_crb(SPEC.positions.numpy()[live], *row, length) for row in rows]))
    method = make_estimator("root-music", SPEC)

    def ratio(snapshots):
        error = (method(make_batch(snapshots), 2).azimuth - scene.azimuth) / bound
        return float(error.square().mean().sqrt())

    assert ratio(complete_channels(y, live, SPEC, scene.noise_power)) < 1.2
    assert ratio(y) > 3


def test_spectrum_finds_the_powers():
    """Sources on the grid and an exact covariance: their powers come back, the rest is little."""
    scene = fixed_scene(SPEC, [-20.0, 10.0], 10.0)
    angles = torch.deg2rad(torch.arange(-60.0, 61.0, 2.0, dtype=torch.float64))
    dictionary = steering(SPEC.positions, angles[None])[0].to(torch.complex128)
    power = sparse_spectrum(scene.covariance, dictionary, scene.noise_power, 800)[0]
    assert power[[20, 35]].tolist() == pytest.approx([1.0, 1.0], abs=0.03)
    assert float(power.sum()) == pytest.approx(2.0, abs=0.05)


def test_items_do_not_know_each_other_and_levels_do_not_matter():
    g = torch.Generator().manual_seed(1)
    scene = draw_scene(SPEC, 3, 2, 10.0, g)
    y = receive(scene, 20, generator=g).snapshots
    live = [0, 1, 2, 4, 5, 7]
    whole = complete_channels(y, live, SPEC, scene.noise_power)
    alone = complete_channels(y[1:2], live, SPEC, scene.noise_power[1:2])
    assert torch.allclose(whole[1], alone[0], atol=1e-9)
    loud = complete_channels(100 * y, live, SPEC, 1e4 * scene.noise_power)
    assert torch.allclose(loud, 100 * whole, rtol=1e-6, atol=1e-5)


def test_known_coupling_is_in_the_prior():
    """Dead channel of a coupled array without noise: its clean snapshots come back only when the coupling is told."""
    spec = uncoupled_spec("ula8")
    c = torch.eye(8, dtype=torch.complex128) + 0.35j * (torch.diag(torch.ones(7), 1) + torch.diag(torch.ones(7), -1))
    scene = fixed_scene(spec, [-20.0, 25.0], 30.0)
    g = torch.Generator().manual_seed(2)
    received = receive(scene, 50, generator=g)
    clean, y = c @ received.clean, c @ received.clean + (received.snapshots - received.clean)
    live, errors = [0, 1, 2, 4, 5, 6, 7], []
    for coupling in (c, None):
        found = complete_channels(y, live, spec, scene.noise_power, coupling)
        errors.append(float((found - clean)[:, 3].abs().square().mean() / clean[:, 3].abs().square().mean()))
    assert errors[0] < 0.01 < 0.04 < errors[1]


def test_a_channel_that_does_not_exist_is_said():
    with pytest.raises(SamplerError, match=r"0\.\.7"):
        complete_channels(torch.ones(1, 8, 4, dtype=torch.complex128), [0, 8], SPEC, torch.ones(1))
    with pytest.raises(SamplerError, match="8 elements"):
        complete_channels(torch.ones(1, 7, 4, dtype=torch.complex128), [0, 1], SPEC, torch.ones(1))
