"""Block-sparse Bayesian learning: support on the grid, coupling better than none, and what it refuses."""

from dataclasses import replace

import pytest
import torch

from doamc.errors import EstimatorError, SnapshotError
from doamc.mimo.blocks import grid
from doamc.mimo.channel import draw_rays, noise_power
from doamc.mimo.sbl import SblOptions, block_sbl
from doamc.mimo.sounding import Sounding, phase_shifters, sound
from doamc.scenes.accuracy import coupling_gain_db
from tests.doamc.mimo.links import drawn, small_link

ON_GRID = SblOptions(step_deg=8.0, iterations=25, refine=1)


def case(link, seed, batch=4, paths=2, snr_db=20.0, carriers=4, shared=True):
    """Paths moved to the nearest point of the 8 degree grid (20 degrees apart, so none meet)."""
    generator = torch.Generator().manual_seed(seed)
    rays = draw_rays(link, batch, paths, carriers, generator=generator)
    points = grid(link.rx.spec, 8.0)
    near = [points[(a[..., None] - points).abs().argmin(-1)] for a in (rays.azimuth_rx, rays.azimuth_tx)]
    rays = replace(rays, azimuth_rx=near[0], azimuth_tx=near[1])
    sounding = phase_shifters(link, 48, 1 if shared else carriers, generator)
    return rays, sounding, sound(link, rays, sounding, noise_power(snr_db), generator)


def gain_db(link, rays, estimate, end):
    matrices = [
        getattr(link, end).matrices(getattr(r, f"azimuth_{end}"), getattr(r, f"theta_{end}")).flatten(0, 1)
        for r in (rays, estimate.rays)
    ]
    return coupling_gain_db(*matrices)


@pytest.mark.parametrize(("paths", "shared"), [(1, True), (2, True), (2, False), (3, True)])
def test_support_on_the_grid_is_found_with_gains_and_couplings(paths, shared):
    link = small_link()
    rays, sounding, received = case(link, 1, 2 if not shared else 4, paths, shared=shared)
    e = block_sbl(link, sounding, received, paths, options=ON_GRID)
    assert torch.equal(e.rays.azimuth_rx, rays.azimuth_rx) and torch.equal(e.rays.azimuth_tx, rays.azimuth_tx)
    for end in ("rx", "tx"):
        assert gain_db(link, rays, e, end) > 6
    h = link.channel(rays)
    assert (link.channel(e.rays) - h).abs().square().mean() < 0.01 * h.abs().square().mean()
    # a coupling error that scales u_p scales the gain back, so the gains alone err by more
    assert (e.rays.gains - rays.gains).abs().square().mean() < 0.1 * rays.gains.abs().square().mean()
    # blocks that are not there take some of the noise: the learnt power comes out low
    assert ((e.noise_power > 0.4 * 0.01) & (e.noise_power < 1.3 * 0.01)).all()


def test_a_second_pass_brings_directions_between_the_points_nearer():
    link = small_link()
    rays, sounding = drawn(link, 5, 2, 2, 4, 48)
    received = sound(link, rays, sounding, 0.01, torch.Generator().manual_seed(1))

    def rms(refine):
        e = block_sbl(link, sounding, received, 2, options=replace(ON_GRID, refine=refine)).rays
        return torch.cat([e.azimuth_rx - rays.azimuth_rx, e.azimuth_tx - rays.azimuth_tx], 1).square().mean().sqrt()

    assert rms(4) < 0.6 * rms(1) and rms(4).rad2deg() < 1.5


def test_paths_may_have_couplings_of_their_own():
    link = small_link(None, None)
    rays, sounding, received = case(link, 2, 3, 2, snr_db=30.0, carriers=6)
    e = block_sbl(link, sounding, received, 2, options=ON_GRID)
    assert e.rays.theta_rx.shape == rays.theta_rx.shape
    assert torch.equal(e.rays.azimuth_rx, rays.azimuth_rx)
    for end in ("rx", "tx"):
        assert gain_db(link, rays, e, end) > 6


def test_known_noise_is_kept_and_items_do_not_depend_on_each_other():
    link = small_link()
    _, sounding, received = case(link, 3, 2)
    both = block_sbl(link, sounding, received, 2, 0.01, ON_GRID)
    one = block_sbl(link, sounding, received[1:], 2, 0.01, ON_GRID)
    assert both.noise_power.tolist() == [0.01, 0.01]
    assert torch.equal(both.rays.theta_rx[1:], one.rays.theta_rx)


def test_many_subcarriers_of_shared_beams_are_worth_their_covariance():
    """Twice T subcarriers go in as R_y; told that the beams differ, they go in one by one and must end alike."""
    link = small_link()
    generator = torch.Generator().manual_seed(6)
    rays = draw_rays(link, 1, 1, 24, generator=generator)
    sounding = phase_shifters(link, 12, 1, generator)
    received = sound(link, rays, sounding, 0.01, generator)
    options = SblOptions(step_deg=20.0, iterations=10, refine=2)
    one = Sounding(sounding.combiners.expand(24, -1, -1), sounding.beamformers.expand(24, -1, -1))
    fast, slow = (block_sbl(link, s, received, 1, options=options) for s in (sounding, one))
    assert torch.equal(fast.rays.azimuth_rx, slow.rays.azimuth_rx)
    assert torch.allclose(fast.rays.theta_rx, slow.rays.theta_rx, atol=1e-6)
    assert torch.allclose(fast.noise_power, slow.noise_power, rtol=1e-6)


def test_what_does_not_fit_is_refused():
    link = small_link()
    _, sounding, received = case(link, 3, 1)
    with pytest.raises(EstimatorError, match=r"1\.\.47, found 48"):
        block_sbl(link, sounding, received, 48)
    with pytest.raises(EstimatorError, match="step_deg > 0"):
        block_sbl(link, sounding, received, 2, options=SblOptions(step_deg=0.0))
    with pytest.raises(SnapshotError, match="48"):
        block_sbl(link, sounding, received[:, :, :40], 2)
