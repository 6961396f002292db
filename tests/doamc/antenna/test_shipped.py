"""The priors that ship, beside the antennas they were drawn from."""

import numpy as np
import pytest

from doamc.antenna.draws import azimuth_grid, extend, extended_steering, in_sector, solve_draw
from doamc.antenna.prior import hide_own_scale
from doamc.antenna.prior_file import read_record
from doamc.antenna.response import as_planned
from doamc.antenna.site import load_site
from doamc.spec import SHIPPED, load_spec

pytest.importorskip("PyNEC", reason="PyNEC, which has wheels for x86-64 only")

ARRAYS = pytest.mark.parametrize("name", ["dipole8", "kraken5"])


def family_of(name):
    family = load_spec(name).family
    return family.mean.numpy(), family.patterns.numpy(), family.projection.numpy()


def db(x, reference):
    return 20 * np.log10(np.linalg.norm(x) / np.linalg.norm(reference))


@pytest.mark.parametrize("name", ["dipole8", "dipole8wide", "kraken5"])
def test_they_were_drawn_from_the_specification_as_it_is(name):
    record = read_record(SHIPPED / f"{name}.prior.safetensors")
    table = load_spec(name).table
    assert {k: record[k] for k in ("geometry", "sector", "antenna")} == {
        k: table[k] for k in ("geometry", "sector", "antenna")
    }
    assert record["draws"] >= 400 and record["residual_db"] <= -40 and record["patterns"] <= 22
    assert (SHIPPED / f"{name}.prior.safetensors").stat().st_size < 2**20


@ARRAYS
def test_their_mean_is_the_array_as_planned(name):
    site = load_site(name)
    antenna, places = site.antenna, site.positions
    mean, _, projection = family_of(name)
    c = extend(antenna, places, as_planned(antenna, places), np.ones(len(places)), site.sector_deg).coupling
    assert db(mean @ projection - c, c) < -40
    assert db(mean @ projection - (mean @ projection).T, c) < -40  # reciprocal


@pytest.mark.parametrize("spacing", [0.25, 0.31, 0.38, 0.46, 0.5])
def test_the_wide_one_is_the_array_as_planned_at_every_spacing(spacing):
    site, frequency = load_site("dipole8wide"), 2 * spacing
    family = load_spec("dipole8wide").at(frequency).family
    built = as_planned(site.antenna, site.positions).scaled(frequency, tuned=True)
    there = extend(site.antenna, frequency * site.positions, built, np.ones(8), site.sector_deg, frequency)
    c = family.centre.numpy()
    assert db(c - there.coupling, c) < -34  # coupling is strong where elements are close, and the mean is not the plan
    assert db(c - np.eye(8), c) > -12  # far from none


@ARRAYS
def test_arrays_drawn_anew_are_within_reach(name):
    """Fresh draws are members up to the residual, at parameters that the prior calls likely."""
    site = load_site(name)
    mean, patterns, projection = family_of(name)
    grid = azimuth_grid(site.positions)
    a = extended_steering(site.positions, grid[in_sector(grid, site.sector_deg)], 3)
    basis = hide_own_scale(patterns @ a, mean @ a).reshape(len(patterns), -1)
    basis = np.concatenate([basis.real, basis.imag], 1)
    sizes, left = [], []
    for number in range(24):
        d = solve_draw(site.antenna, site.positions, site.sector_deg, (77, number))[0]
        e = d.extended / (np.trace(d.extended @ projection) / len(mean))
        v = hide_own_scale(((e - mean) @ a)[None], mean @ a).ravel()
        v = np.concatenate([v.real, v.imag])
        z = np.linalg.lstsq(basis.T, v, rcond=None)[0]
        sizes.append((z**2).mean())
        left.append(np.linalg.norm(v - z @ basis) / np.linalg.norm(mean @ a))
    assert 10 * np.log10(np.mean(np.square(left))) < -38
    assert 0.4 < np.mean(sizes) < 2.0  # unit variance over all draws; one in five is rough and four times as large
