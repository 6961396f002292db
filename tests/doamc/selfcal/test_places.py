"""Starting directions: found where the coupling is known, in the sector, and two within a beam among them."""

import math

import numpy as np
import pytest
import torch

from doamc.coupling.drawn import DrawnFamily
from doamc.selfcal.belief import response_matrix
from doamc.selfcal.places import Places
from doamc.selfcal.scene import known_family
from doamc.selfcal.seeds import nearest_parameters
from doamc.selfcal.start import start_family
from doamc.spec import ArraySpec, load_spec
from tests.doamc.selfcal.scenes import World, apart, moving, outside


@pytest.mark.parametrize("array", ["ula8", "uca5"])
def test_the_starts_find_the_sources_once_the_coupling_is_known(array):
    world = outside(array, 3)
    start = start_family(world.spec)
    places = Places(world.spec, 1)
    known = response_matrix(start, nearest_parameters(start, world.coupling))
    torch.testing.assert_close(known, world.coupling, atol=0.02, rtol=0)  # twice `NEARNESS`
    for k in range(20):
        azimuth = moving(k)
        found = places(known_family(known, start), world.covariance(azimuth), 2)[0][0].T
        error = min(float(apart(f, azimuth).abs().max()) for f in found)
        assert math.degrees(error) < 2.0


def uncoupled(spec: ArraySpec) -> DrawnFamily:
    """The family of C = I alone."""
    eye = torch.eye(spec.n_elements, dtype=torch.complex128)
    return DrawnFamily(eye, eye.new_zeros(0, *eye.shape), eye)


def test_two_emitters_within_a_beam_have_a_start_of_their_own():
    """Three degrees apart on a line whose beam is 14 degrees wide: one peak, and the other is anywhere."""
    spec = load_spec("ula8")
    azimuth = torch.tensor([0.2, 0.2 + math.radians(3.0)], dtype=torch.float64)
    world = World(spec, torch.eye(8, dtype=torch.complex128), np.random.default_rng(4), snr_db=5.0, snapshots=30)
    sets = Places(spec, 1)(uncoupled(spec), world.covariance(azimuth), 2)[0][0]  # (P, Q)
    errors = (sets - azimuth[:, None]).rad2deg().abs().amax(0)
    assert float(errors.min()) < 2.0 < float(errors[:4].min())  # none of the sets of peaks comes as near


@pytest.mark.parametrize("array", ["ula8", "uca5"])
def test_sets_ascend_and_lie_in_the_sector(array):
    spec = load_spec(array)
    rng = np.random.default_rng(4)
    noise = torch.from_numpy(rng.normal(size=(5, spec.n_elements, 20)) + 1j * rng.normal(size=(5, spec.n_elements, 20)))
    sets = Places(spec, 1)(uncoupled(spec), noise @ noise.mH, 2)[0]
    low, high = spec.sector_rad
    assert bool((sets.diff(dim=1) >= 0).all())
    if not spec.full_circle:
        assert bool(((sets >= low) & (sets <= high)).all())
