from dataclasses import replace

import numpy as np
import pytest

from doamc.antenna.draws import azimuth_grid, draw_built, extend, extended_steering, in_sector, solve_draw
from doamc.antenna.farm import draw_many
from doamc.antenna.response import as_planned
from doamc.antenna.site import load_site
from doamc.arrays import uca
from doamc.coupling import drawn
from doamc.spec.antenna import Draws, Mast

pytest.importorskip("PyNEC", reason="PyNEC, which has wheels for x86-64 only")

CIRCLE, LINE = load_site("kraken5"), load_site("dipole8")


def misfit_db(site, result, blocks):
    grid = azimuth_grid(site.positions)
    inside = in_sector(grid, site.sector_deg)
    v = result.response[:, inside]
    return 20 * np.log10(
        np.linalg.norm(result.extended @ extended_steering(site.positions, grid[inside], blocks) - v)
        / np.linalg.norm(v)
    )


def test_extended_steering_is_that_of_the_drawn_family():
    import torch

    az = np.array([3.0, 100.0, 250.0])
    theirs = drawn.extended_steering(uca(5, 0.35), torch.from_numpy(np.deg2rad(az)), 5)
    np.testing.assert_allclose(extended_steering(CIRCLE.positions, az, 5), theirs.numpy(), atol=1e-14)


@pytest.mark.parametrize("site", [LINE, CIRCLE], ids=["line", "circle"])
def test_extended_matrix_explains_rough_arrays_too(site):
    antenna = replace(site.antenna, draws=Draws(rough_share=1.0))
    for number in range(3):
        assert misfit_db(site, solve_draw(antenna, site.positions, site.sector_deg, (5, number))[0], 3) < -80


def test_plain_coupling_cannot_explain_moved_elements():
    antenna = replace(CIRCLE.antenna, draws=Draws(rough_share=1.0), blocks=1)
    rough = [solve_draw(antenna, CIRCLE.positions, CIRCLE.sector_deg, (5, n))[0] for n in range(3)]
    plain = [misfit_db(CIRCLE, one, 1) for one in rough]
    assert min(plain) > -40


def test_more_blocks_explain_more_of_a_mast():
    mast = Mast((0.9, 0.0), -1.0, 1.0, 0.01)
    left = []
    for blocks in (1, 3, 5):
        antenna = replace(CIRCLE.antenna, mast=mast, blocks=blocks)
        result = extend(antenna, CIRCLE.positions, as_planned(antenna, CIRCLE.positions), np.ones(5), (0.0, 360.0))
        left.append(misfit_db(CIRCLE, result, blocks))
    assert left[0] > -30 and left[1] < left[0] - 6 and left[2] < left[1] - 6


def test_deviations_have_the_spread_of_the_table():
    antenna = replace(LINE.antenna, draws=Draws(frequency_percent=0.0, load_ohm=0.0))
    rng = np.random.default_rng(0)
    built, gains, frequency = zip(*(draw_built(antenna, LINE.positions, rng, False) for _ in range(2000)), strict=True)
    assert set(frequency) == {1.0}
    shift = np.stack([b.positions for b in built]) - LINE.positions
    assert shift.std() == pytest.approx(0.001 * np.sqrt(7 / 8), rel=0.02)  # without the shift of the whole array
    assert abs(shift.mean(1)).max() < 1e-15
    own = np.stack([b.length / b.length.mean() - 1 for b in built])
    assert own.std() == pytest.approx(0.002 * np.sqrt(7 / 8), rel=0.02)
    assert np.std([b.length.mean() / 0.47 for b in built]) == pytest.approx(0.01, rel=0.05)
    radius = np.log([b.radius[0] / 1e-3 for b in built])
    assert np.abs(radius).max() <= np.log(1.5) and radius.std() == pytest.approx(np.log(1.5) / np.sqrt(3), rel=0.05)
    assert np.angle(np.stack(gains)).std() == pytest.approx(np.deg2rad(0.75), rel=0.02)
    assert (20 * np.log10(np.abs(np.stack(gains)))).std() == pytest.approx(0.1, rel=0.02)


def test_draws_depend_on_the_seed_and_not_on_the_processes():
    one = [d for (d,) in draw_many(CIRCLE, 4, seed=3)]
    two = [d for (d,) in draw_many(CIRCLE, 4, seed=3, jobs=2)]
    (other,) = next(draw_many(CIRCLE, 1, seed=4))
    assert all(np.array_equal(a.extended, b.extended) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0].extended, other.extended)
    assert not np.array_equal(one[0].extended, one[1].extended)
