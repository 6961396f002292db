"""One prior over a range of frequencies: a pair of telescopic dipoles, drawn at nodes, used between them."""

import itertools

import numpy as np
import pytest

from doamc.antenna.draws import azimuth_grid, extend, extended_steering, solve_draw
from doamc.antenna.farm import draw_many
from doamc.antenna.prior import fit_prior
from doamc.antenna.prior_file import write_prior
from doamc.antenna.response import as_planned
from doamc.antenna.site import load_site
from doamc.arrays import steering
from doamc.coupling.drawn_file import load_drawn_family
from doamc.coupling.interpolation import chebyshev_nodes, interpolation_weights
from doamc.errors import SpecificationError
from doamc.spec import load_spec

pytest.importorskip("PyNEC", reason="PyNEC, which has wheels for x86-64 only")

WIDE = """name = "wide"
[geometry]
kind = "positions"
points_wavelengths = [[0.0, 0.0], [0.0, 0.4], [0.35, 0.2]]
[sector]
azimuth_deg = [0.0, 360.0]
[coupling]
family = "drawn"
prior = "wide"
[antenna]
element = "dipole"
length_wavelengths = 0.47
design_frequency_hz = 400e6
frequency_range = [0.75, 1.0]
frequency_nodes = 4
tuned = true
segments = 11
[antenna.draws]
gain_db = [0.0, 0.0]
phase_deg = [0.0, 0.0]
position_wavelengths = [0.001, 0.001]
rough_share = 0.0
element_length_percent = [0.2, 0.5]
[sources]
count = [1, 1]
"""


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wide")
    path = folder / "wide.toml"
    path.write_text(WIDE)
    site = load_site(path)
    frequency = site.antenna.frequencies
    prior = fit_prior(list(draw_many(site, 72, seed=1)), [f * site.positions for f in frequency], site.sector_deg)
    write_prior(folder / "wide.prior.safetensors", prior, frequency, {})
    return path


def test_interpolation_is_exact_for_polynomials():
    nodes = chebyshev_nodes(0.5, 2.0, 6)
    assert nodes[[0, -1]].tolist() == [0.5, 2.0] and (np.diff(nodes) > 0).all()
    for at in (0.5, 0.77, 1.25, 2.0):
        assert interpolation_weights(nodes, at) @ nodes**5 == pytest.approx(at**5, rel=1e-12)
    assert interpolation_weights(nodes, nodes[2]).tolist() == [0, 0, 1, 0, 0, 0]


def test_interpolation_of_smooth_functions_converges_geometrically():
    left = []
    for count in (3, 5, 7, 9):
        nodes = chebyshev_nodes(0.5, 1.0, count)
        at = np.linspace(0.5, 1.0, 41)
        left.append(max(abs(interpolation_weights(nodes, x) @ np.exp(6j * nodes) - np.exp(6j * x)) for x in at))
    assert all(b < a / 10 for a, b in itertools.pairwise(left))


def test_positions_grow_with_frequency_and_the_fingerprint_stays(wide):
    base, low = load_spec(wide), load_spec(f"{wide}@340e6")
    assert low.frequency == pytest.approx(0.85) and low.digest == base.digest
    np.testing.assert_allclose(low.positions, 0.85 * base.positions)
    np.testing.assert_allclose(low.at(1.0).positions, base.positions)
    az = low.positions.new_tensor([0.3])
    assert steering(low.positions, az).shape == (3, 1)


@pytest.mark.parametrize("frequency", [0.75, 0.81, 0.93])
def test_coupling_between_the_nodes_is_that_of_the_antenna(wide, frequency):
    site, spec = load_site(wide), load_spec(wide).at(frequency)
    built = as_planned(site.antenna, site.positions).scaled(frequency, tuned=True)
    there = extend(site.antenna, frequency * site.positions, built, np.ones(3), site.sector_deg, frequency)
    c = spec.family.centre.numpy()
    assert np.linalg.norm(c - there.coupling) < 0.01 * np.linalg.norm(c)
    assert np.trace(c) == pytest.approx(3)
    assert np.abs(np.trace(spec.family.basis.numpy(), axis1=1, axis2=2)).max() < 1e-12


def test_parameters_mean_the_same_array_at_every_frequency(wide):
    """z of a fresh array, fitted at one end of the range, explains it at the other."""
    site = load_site(wide)
    ends = solve_draw(site.antenna, site.positions, site.sector_deg, (9, 3))[:: site.antenna.frequency_nodes - 1]
    z, before, after = None, 0.0, 0.0
    for frequency, drawn in zip(site.antenna.frequency_range, ends, strict=True):
        family = load_spec(wide).at(frequency).family
        mean, patterns, w = (t.numpy() for t in (family.mean, family.patterns, family.projection))
        e = drawn.extended / (np.trace(drawn.extended @ w) / 3)
        a = extended_steering(frequency * site.positions, azimuth_grid(site.positions), family.n_blocks)
        basis = np.stack([np.r_[v.real.ravel(), v.imag.ravel()] for v in patterns @ a])
        away = np.r_[((e - mean) @ a).real.ravel(), ((e - mean) @ a).imag.ravel()]
        if z is None:
            gram = basis @ basis.T
            z = np.linalg.solve(gram + 1e-3 * np.trace(gram) / len(gram) * np.eye(len(gram)), basis @ away)
        else:
            before, after = np.linalg.norm(away), np.linalg.norm(away - z @ basis)
    assert after < 0.5 * before


def test_frequencies_out_of_range_are_refused(wide):
    with pytest.raises(SpecificationError, match=r"0\.75 to 1 times"):
        load_spec(f"{wide}@200e6")
    with pytest.raises(SpecificationError, match="in Hz after '@', found 'low'"):
        load_spec(f"{wide}@low")
    stated = load_spec("kraken5@400e6")  # its wavelengths are for no frequency of their own: these hold there
    assert stated.frequency_hz == 400e6 and stated.positions.equal(load_spec("kraken5").positions)
    with pytest.raises(SpecificationError, match="1 to 1 times"):
        load_drawn_family(load_spec("kraken5").coupling["prior"], 0.9)
