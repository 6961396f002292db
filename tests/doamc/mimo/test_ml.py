"""Maximum likelihood reaches the bound, from its own start and from any near one."""

from dataclasses import replace

import pytest
import torch

from doamc.errors import EstimatorError
from doamc.mimo.bound import cramer_rao
from doamc.mimo.criterion import LinkModel
from doamc.mimo.ml import maximum_likelihood
from doamc.mimo.sbl import SblOptions
from doamc.mimo.sounding import sound
from doamc.scenes.accuracy import coupling_gain_db
from tests.doamc.mimo.links import drawn, small_link

DRAWS = 200
NOISE = 1e-3


def repeated(orders=0, shared=True):
    """One link sounded 200 times."""
    link = small_link(orders, orders)
    rays, sounding = drawn(link, 21, 1, 2, 4, 48, shared)
    many = rays.select(torch.zeros(DRAWS, dtype=torch.int64))
    received = sound(link, many, sounding, NOISE, torch.Generator().manual_seed(4))
    return link, many, sounding, received, cramer_rao(LinkModel(link, sounding, 2), rays, NOISE)


@pytest.mark.parametrize(("orders", "shared"), [(0, True), (0, False), (None, True)])
def test_it_stands_at_the_bound(orders, shared):
    """From C = I and 1 degree off. 200 draws: a root mean square errs by 5 % (directions: 4 of them, couplings: 8)."""
    link, rays, sounding, received, bound = repeated(orders, shared)
    tilt = torch.tensor([0.017, -0.017], dtype=torch.float64)
    start = replace(rays, azimuth_rx=rays.azimuth_rx + tilt, azimuth_tx=rays.azimuth_tx - tilt,
                    theta_rx=0 * rays.theta_rx, theta_tx=0 * rays.theta_tx)  # fmt: skip
    e = maximum_likelihood(link, sounding, received, 2, start)
    for names in (("azimuth_rx", "azimuth_tx"), ("theta_rx", "theta_tx")):
        # each error in units of its own bound, so that the large ones do not hide the small ones
        error = torch.cat([
            ((getattr(e.rays, n) - getattr(rays, n)) / getattr(bound, n)).flatten(1) for n in names
        ], 1)  # fmt: skip
        ratio = float(error.square().mean().sqrt())
        assert 1 / 1.15 < ratio < 1.15, (names, ratio)
    gains = (e.rays.gains - rays.gains).abs() / bound.gains
    assert 1 / 1.15 < float(gains.square().mean().sqrt()) < 1.15
    # 4 * 48 complex symbols less some 30 real unknowns: a draw errs by 8 %, the mean of 200 by 0.6 %
    assert float(e.noise_power.mean()) == pytest.approx(NOISE, rel=0.03)


def test_without_noise_the_truth_comes_back():
    link = small_link()
    rays, sounding = drawn(link, 22, 3, 2, 3, 40)
    received = sound(link, rays, sounding, 0.0)
    start = replace(rays, azimuth_rx=rays.azimuth_rx + 0.02, theta_tx=0 * rays.theta_tx)
    e = maximum_likelihood(link, sounding, received, 2, start, max_iterations=200)
    for name in ("azimuth_rx", "azimuth_tx", "theta_rx", "theta_tx", "gains"):
        assert (getattr(e.rays, name) - getattr(rays, name)).abs().max() < 1e-6
    assert e.noise_power.max() < 1e-12


def test_from_its_own_start_paths_and_couplings_are_found():
    link = small_link()
    rays, sounding = drawn(link, 23, 4, 2, 4, 48)
    received = sound(link, rays, sounding, 0.01, torch.Generator().manual_seed(4))
    e = maximum_likelihood(link, sounding, received, 2, options=SblOptions(step_deg=8.0, iterations=20)).rays
    bound = cramer_rao(LinkModel(link, sounding, 2), rays, 0.01)
    for end in ("rx", "tx"):
        error = (getattr(e, f"azimuth_{end}") - getattr(rays, f"azimuth_{end}")) / getattr(bound, f"azimuth_{end}")
        assert error.abs().max() < 4  # 8 figures, normal: 4 sigma
        c = [getattr(link, end).spec.family.matrix(getattr(r, f"theta_{end}")[:, 0]) for r in (rays, e)]
        assert coupling_gain_db(*c) > 15


def test_taking_no_coupling_for_granted_biases_the_directions():
    link, rays, sounding, received, bound = repeated()
    alone = replace(rays, theta_rx=0 * rays.theta_rx, theta_tx=0 * rays.theta_tx)
    e = maximum_likelihood(link, sounding, received[:20], 2, alone.select(slice(20)),
                           coupling_known=True)  # fmt: skip
    assert (e.rays.theta_rx == 0).all() and (e.rays.theta_tx == 0).all()
    bias = (e.rays.azimuth_rx - rays.azimuth_rx[:20]).mean(0)
    assert (bias.abs() > 5 * bound.azimuth_rx[0]).any()
    assert e.noise_power.min() > 5 * NOISE  # and the residual tells


def test_items_do_not_depend_on_each_other():
    link = small_link()
    rays, sounding = drawn(link, 24, 3, 2, 3, 40)
    received = sound(link, rays, sounding, 0.01, torch.Generator().manual_seed(5))
    one = maximum_likelihood(link, sounding, received[1:2], 2, rays.select(slice(1, 2)))
    all_ = maximum_likelihood(link, sounding, received, 2, rays)
    assert torch.allclose(one.rays.azimuth_rx, all_.rays.azimuth_rx[1:2], atol=1e-9)


def test_what_cannot_be_estimated_is_refused():
    link = small_link()
    rays, sounding = drawn(link, 25, 1, 2, 1, 5)
    received = sound(link, rays, sounding, 0.01)
    with pytest.raises(EstimatorError, match="more symbols"):
        maximum_likelihood(link, sounding, received, 2, rays)
    rays, sounding = drawn(link, 25, 1, 2, 2, 40)
    received = sound(link, rays, sounding, 0.01)
    with pytest.raises(EstimatorError, match="give one"):
        maximum_likelihood(link, sounding, received, 2, coupling_known=True)
