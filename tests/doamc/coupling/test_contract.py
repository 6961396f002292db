"""Every family keeps the contract: coefficients in ranges, drawn antennas, what self-calibration believes."""

from functools import cache

import torch

from doamc.arrays.steering import steering
from doamc.coupling.angular import sphere_functions
from doamc.coupling.families import FAMILIES, make_family
from doamc.selfcal.belief import initial_belief
from doamc.selfcal.start import start_family
from doamc.spec import load_spec
from tests.doamc.coupling.contract import FamilyContract
from tests.doamc.helpers.directional import directional_spec

RANGES = [[0.1, 0.4], [0.05, 0.2]]


@cache
def shipped(name):
    return load_spec(name).family


@cache
def widened(name):
    """What self-calibration starts from."""
    return start_family(load_spec(name))


class TestSymmetricToeplitz(FamilyContract):
    array = "ula8"

    def make(self):
        return make_family("symmetric-toeplitz", 8, RANGES)


class TestHermitianToeplitz(FamilyContract):
    array = "seed16"

    def make(self):
        return shipped("seed16")


class TestHermitianToeplitzOfAnyPhase(FamilyContract):
    array = "ula8"

    def make(self):
        return make_family("hermitian-toeplitz", 8, RANGES)


class TestCirculant(FamilyContract):
    array = "uca5"

    def make(self):
        return shipped("uca5")


class TestCirculantOfAnEvenNumber(FamilyContract):
    array = "ula4"

    def make(self):
        return make_family("circulant", 4, RANGES, 90.0)


class TestReciprocal(FamilyContract):
    array = "uca5"

    def make(self):
        return make_family("reciprocal", 5, RANGES, 180.0, 0.15)


class TestDrawnCircle(FamilyContract):
    array, nearest = "kraken5", 5e-3

    def make(self):
        return shipped("kraken5")


class TestDrawnLine(FamilyContract):
    array, nearest = "dipole8", 5e-3

    def make(self):
        return shipped("dipole8")


class TestWidenedCoefficients(FamilyContract):
    """The start of self-calibration, of an array whose family has ranges."""

    array, nearest = "ula8", 5e-3

    def make(self):
        return widened("ula8")


class TestWidenedDrawn(FamilyContract):
    array, nearest, diagonal = "kraken5", 5e-3, 5e-3

    def make(self):
        return widened("kraken5")


class TestSeriesOverAzimuth(FamilyContract):
    array = "ula8"

    def make(self):
        return directional_spec("ula8", 2).family


class TestSeriesOverTheSphere(FamilyContract):
    array = "dome8"

    def make(self):
        return directional_spec("dome8", 1).family

    def extended(self, family, azimuth):
        a = steering(load_spec("dome8").positions, azimuth).to(torch.complex128)
        functions = sphere_functions(azimuth, torch.zeros_like(azimuth), family.n_blocks)
        return torch.cat([f[..., None, :] * a for f in functions], -2)


class TestSeriesOfAHermitianFamily(FamilyContract):
    array = "seed16"

    def make(self):
        return directional_spec("seed16", 1).family


class TestBelief(FamilyContract):
    """What a belief has become after it learnt of some directions of its parameters.

    The axes of its parameters, and with them what is learnt here, differ from one LAPACK to another; of 20 such beliefs
    the members are found within 0.001 to 0.010.
    """

    array, nearest, diagonal = "uca5", 0.02, 5e-3

    def make(self):
        belief = initial_belief(widened("uca5"))
        k = len(belief.pull)
        rows = torch.randn(k // 2, k, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
        return belief.learn(rows.T @ rows, 0.1 * rows[0]).family


def test_every_named_family_keeps_the_contract():
    kept = {cls().make().name for cls in FamilyContract.__subclasses__()}
    assert set(FAMILIES) <= kept
