"""Coupling and embedded response of the arrays in the literature and of the shipped specifications."""

import numpy as np
import pytest

from doamc.antenna.response import (
    as_planned,
    coupling_matrix,
    embedded_response,
    scale_to,
    solve_built,
    steering_vectors,
)
from doamc.antenna.site import load_site
from doamc.spec.antenna import Antenna, Mast

pytest.importorskip("PyNEC", reason="PyNEC, which has wheels for x86-64 only")

AZIMUTH = np.arange(0.0, 360.0, 5.0)


def solved(site_or_antenna, positions=None):
    antenna = site_or_antenna if positions is not None else site_or_antenna.antenna
    positions = site_or_antenna.positions if positions is None else positions
    built = as_planned(antenna, positions)
    ports = solve_built(antenna, built, AZIMUTH)
    return coupling_matrix(ports, built.load), embedded_response(ports, built.load)


def nmse_of_identity_db(c):
    return 20 * np.log10(np.linalg.norm(c - np.eye(len(c))) / np.linalg.norm(c))


def test_half_wave_line_has_the_published_figures():
    c, _ = solved(load_site("dipole8"))
    assert np.mean(np.abs(np.diag(c, 1))) == pytest.approx(0.21, abs=0.01)
    assert np.mean(np.abs(np.diag(c, 2))) == pytest.approx(0.09, abs=0.01)
    assert nmse_of_identity_db(c) == pytest.approx(-10.2, abs=0.1)


def test_circle_has_the_published_figures_and_is_circulant():
    c, _ = solved(load_site("kraken5"))
    assert abs(c[0, 1]) == pytest.approx(0.40, abs=0.005) and abs(c[0, 2]) == pytest.approx(0.08, abs=0.005)
    assert nmse_of_identity_db(c) == pytest.approx(-6.0, abs=0.05)
    turned = np.roll(c, (1, 1), (0, 1))
    assert abs(c - turned).max() < 2e-5  # NEC2 gives six digits


@pytest.mark.parametrize(("name", "misfit"), [("dipole8", 0.045), ("kraken5", 0.04)])
def test_coupling_of_impedances_explains_the_response_to_a_few_percent(name, misfit):
    site = load_site(name)
    c, v = solved(site)
    a = steering_vectors(site.positions, AZIMUTH)
    assert scale_to(v, c @ a)[1] == pytest.approx(misfit, abs=0.003)
    assert scale_to(v, c @ a.conj())[1] > 0.5  # the other sign of time would not


@pytest.mark.parametrize("name", ["dipole8", "kraken5"])
def test_matrix_of_least_squares_explains_all_of_it(name):
    # a wave excites each thin vertical wire by one number, a_m(az), so that v = C_e a(az) without any remainder
    site = load_site(name)
    _, v = solved(site)
    a = steering_vectors(site.positions, AZIMUTH)
    own = v @ np.linalg.pinv(a)
    assert np.linalg.norm(v - own @ a) < 1e-4 * np.linalg.norm(v)


def test_coupling_is_symmetric_with_mean_diagonal_one():
    antenna = Antenna(load=30 + 20j)
    c, _ = solved(antenna, np.array([(0, 0), (0.3, 0.1), (-0.2, 0.4), (0.5, 0.5)]))
    assert np.array_equal(c, c.T) and np.trace(c) == pytest.approx(4)


def test_coupling_vanishes_with_distance_as_the_field_does():
    near, far = (abs(solved(Antenna(), np.array([(0, 0), (0, d)]))[0][0, 1]) for d in (5.0, 20.0))
    assert near / far == pytest.approx(4, rel=0.03)  # 1 / distance broadside


def test_high_loads_uncouple():
    c, _ = solved(Antenna(load=1e6), np.array([(0, 0), (0, 0.5)]))
    assert abs(c[0, 1]) < 1e-4


def test_a_mast_makes_the_response_depend_on_direction():
    circle = load_site("kraken5")
    mast = Antenna(mast=Mast((0.9, 0.0), -1.0, 1.0, 0.01))
    a = steering_vectors(circle.positions, AZIMUTH)

    def left(antenna):
        _, v = solved(antenna, circle.positions)
        return np.linalg.norm(v - v @ np.linalg.pinv(a) @ a) / np.linalg.norm(v)

    assert left(Antenna()) < 1e-4 and 0.03 < left(mast) < 0.3
