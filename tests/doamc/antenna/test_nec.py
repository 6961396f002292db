"""The NEC2 model beside independent ones: induced electromotive force, reciprocity, NEC2's own loads."""

import numpy as np
import pytest
import scipy.integrate

from doamc.antenna.nec import Wire, load_pynec, solve
from doamc.antenna.response import embedded_response, steering_vectors
from doamc.errors import SpecificationError

pytest.importorskip("PyNEC", reason="PyNEC, which has wheels for x86-64 only")

HERE = np.array([0.0])


def dipoles(positions, length=0.47, radius=1e-3, segments=21):
    half, port = length / 2, segments // 2 + 1
    return [Wire(x, y, -half, half, radius, segments, port) for x, y in positions]


def mutual_by_emf(distance):
    """Mutual impedance of half-wave dipoles side by side with sinusoidal currents (Carter, Proc. IRE 1932)."""
    k, h = 2 * np.pi, 0.25

    def field(z, part):
        r = [np.hypot(distance, z - h), np.hypot(distance, z + h)]
        value = np.sin(k * (h - abs(z))) * sum(-1j * np.exp(-1j * k * d) / d for d in r)
        return getattr(value, part)

    parts = [scipy.integrate.quad(field, -h, h, args=(part,))[0] for part in ("real", "imag")]
    return -29.9792458 * complex(*parts)


def test_the_textbook_value_of_mutual_impedance():
    assert mutual_by_emf(0.5) == pytest.approx(-12.53 - 29.93j, abs=0.05)  # Balanis, Antenna Theory, 8.6


@pytest.mark.parametrize("distance", [0.25, 0.5, 1.0])
def test_mutual_impedance_tends_to_the_textbook_as_the_wire_gets_thinner(distance):
    # sinusoidal currents are the limit of a vanishing radius a; the approach is a series in 1 / (2 ln(L / a))
    radii = np.array([1e-4, 1e-7, 1e-10, 1e-13])
    z = [np.linalg.inv(solve(dipoles([(0, 0), (0, distance)], 0.5, r, 41), HERE).admittance)[0, 1] for r in radii]
    inverse = 1 / (2 * np.log(0.5 / radii))
    limit = np.linalg.solve(np.vander(inverse, increasing=True).astype(complex), np.array(z))[0]
    assert abs(limit - mutual_by_emf(distance)) < 0.25
    assert abs(z[0] - limit) > 2  # so thin that the series is needed


def loaded(wires, load):
    """A context of NEC2 with these wires, lengths in metres at a wavelength of one, and a load at each port."""
    context = load_pynec().nec_context()
    geometry = context.get_geometry()
    for tag, w in enumerate(wires, 1):
        geometry.wire(tag, w.segments, w.x, w.y, w.bottom, w.x, w.y, w.top, w.radius, 1.0, 1.0)
    context.geometry_complete(0)
    context.fr_card(0, 1, 299.792458, 0)
    for tag, (w, z) in enumerate(zip(wires, load, strict=True), 1):
        context.ld_card(4, tag, w.port, w.port, z.real, z.imag, 0.0)
    return context


def test_loads_beside_the_model_are_those_of_nec():
    azimuth = np.arange(0.0, 360.0, 30.0)
    wires = dipoles([(0, 0), (0.1, 0.4), (-0.3, 0.2)])
    load = np.array([50.0 + 10j, 75.0, 30.0 - 20j])
    ours = embedded_response(solve(wires, azimuth), load)
    context = loaded(wires, load)
    context.ex_card(1, 1, len(azimuth), 0, 90.0, 0.0, 0.0, 0.0, 30.0, 0.0)
    context.xq_card(0)
    theirs = [context.get_structure_currents(i).get_current().reshape(3, 21)[:, 10] for i in range(len(azimuth))]
    np.testing.assert_allclose(ours, np.stack(theirs, 1), rtol=1e-6)  # reciprocity of NEC2: 4e-7


def test_receiving_pattern_is_the_transmitting_one():
    # reciprocity: fed through its load, the others loaded, an element radiates as it receives
    azimuth = np.arange(0.0, 360.0, 15.0)
    wires = dipoles([(0, 0), (0.1, 0.4), (-0.3, 0.2)])
    received = embedded_response(solve(wires, azimuth), np.full(3, 50.0))
    for m in range(3):
        context = loaded(wires, np.full(3, 50.0 + 0j))
        context.ex_card(0, m + 1, wires[m].port, 0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        context.rp_card(0, 1, len(azimuth), 0, 5, 0, 0, 90.0, 0.0, 0.0, 15.0, 0.0, 0.0)
        radiated = np.asarray(context.get_radiation_pattern(0).get_e_theta()).ravel()
        ratio = received[m] / radiated
        assert abs(ratio / ratio.mean() - 1).max() < 1e-4


def test_phases_follow_the_convention_of_steering_vectors():
    # far apart, elements hardly couple: what is left is the wave, exp(+j 2 pi (x cos az + y sin az))
    positions = np.array([(0.0, 0.0), (3.1, 0.0), (0.0, 4.3)])
    azimuth = np.arange(0.0, 360.0, 10.0)
    i = embedded_response(solve(dipoles(positions), azimuth), np.full(3, 50.0))
    a = steering_vectors(positions, azimuth)
    assert abs(np.vdot(a, i)) > 0.99 * np.linalg.norm(a) * np.linalg.norm(i)
    assert abs(np.vdot(a.conj(), i)) < 0.6 * np.linalg.norm(a) * np.linalg.norm(i)


def test_admittance_is_symmetric_and_passive():
    y = solve(dipoles([(0, 0), (0.2, 0.1), (0.5, -0.3), (0.1, 0.6)]), HERE).admittance
    assert np.array_equal(y, y.T)
    assert np.linalg.eigvalsh(y.real).min() > 0


def test_a_monopole_over_ground_is_half_a_dipole():
    dipole = solve(dipoles([(0, 0), (0, 0.4)]), HERE)
    foot = [Wire(0, y, 0.0, 0.235, 1e-3, 11, 1) for y in (0, 0.4)]
    ground = solve(foot, HERE, ground=True)
    ratio = ground.admittance / dipole.admittance  # the source gap is a segment at the foot, not half of one
    assert abs(ratio - 2).max() < 0.1


@pytest.mark.parametrize(
    ("wires", "ground", "message"),
    [
        (dipoles([(0, 0), (0, 0.001)]), False, "four radii apart"),
        (dipoles([(0, 0)], radius=0.02), False, "fewer segments"),
        (dipoles([(0, 0)]), True, "below"),
    ],
)
def test_wires_that_the_method_cannot_take_are_refused(wires, ground, message):
    with pytest.raises(SpecificationError, match=message):
        solve(wires, HERE, ground)


def test_without_pynec_one_line_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PyNEC", None)
    with pytest.raises(SpecificationError, match=r"gr-doamc\[antenna\]"):
        load_pynec()
