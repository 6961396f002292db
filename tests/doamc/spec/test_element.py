"""The table [element]: what is taken, what it does to scenes and reports, and that nothing changes without it."""

import math

import numpy as np
import pytest
import torch

from doamc.arrays.element_pattern import ElementPattern
from doamc.errors import SpecificationError
from doamc.estimators import make_estimator
from doamc.estimators.incident import incident
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import edited_spec

DIPOLE = {"pattern": "short-dipole"}


def test_isotropic_unless_told():
    for name in ("dome8", "panel16", "ula8"):
        spec = load_spec(name)
        assert spec.element is None and spec.incident_power_db is None and spec.power_db == (-6.0, 0.0)
        assert edited_spec(name, element={"pattern": "isotropic"}).digest == spec.digest
    assert edited_spec("panel16", element={"pattern": "patch"}).element == ElementPattern("patch", 1.0)
    assert edited_spec("dome8", element=DIPOLE).digest != load_spec("dome8").digest


def test_elements_receive_less_of_what_is_high():
    """The range of powers that are received reaches down by the gain at 75 degrees."""
    spec = edited_spec("dome8", element=DIPOLE)
    assert spec.incident_power_db == (-6.0, 0.0)
    assert spec.power_db == pytest.approx((-6.0 + 20 * math.log10(math.cos(math.radians(75.0))), 0.0))
    patch = edited_spec("panel16", element={"pattern": "patch", "exponent": 2.0})
    edge = math.cos(math.radians(60.0)) * math.cos(math.radians(40.0))
    assert patch.power_db == pytest.approx((-6.0 + 40 * math.log10(edge), 0.0), abs=1e-4)


@pytest.mark.parametrize(
    ("array", "element", "words"),
    [
        ("dome8", {"pattern": "dish"}, "pattern must be one of isotropic, short-dipole"),
        ("dome8", {}, "expected 'pattern' in"),
        ("dome8", {"pattern": "short-dipole", "exponent": 2.0}, "exponent is of pattern 'patch'"),
        ("dome8", {"pattern": "patch"}, "hears nothing from behind"),
        ("panel16", {"pattern": "patch", "exponent": 0.0}, "exponent"),
        ("panel16", {"pattern": "patch", "order": 1}, "order"),
        ("kraken5", {"pattern": "short-dipole"}, "drawn from antennas exclude each other"),
    ],
)
def test_what_cannot_be_is_refused(array, element, words):
    with pytest.raises(SpecificationError, match=words):
        edited_spec(array, element=element)


def test_scenes_are_those_of_isotropic_elements_but_for_the_powers():
    plain, shaped = (
        draw_scene(spec, 50, 2, 10.0, torch.Generator().manual_seed(3))
        for spec in (load_spec("dome8"), edited_spec("dome8", element=DIPOLE))
    )
    for name in ("azimuth", "elevation", "theta", "noise_power"):
        assert torch.equal(getattr(plain, name), getattr(shaped, name))
    np.testing.assert_allclose(shaped.incident_power, plain.power)
    np.testing.assert_allclose(shaped.power, plain.power * plain.elevation.cos() ** 2)
    assert torch.equal(plain.incident_power, plain.power)


@pytest.mark.parametrize("method", ["ml", "map", "posterior", "rare", "bartlett"])
def test_powers_are_reported_of_what_is_incident(method):
    """Directions are those that isotropic elements would give of emitters as strong as what is received."""
    spec = edited_spec("dome8", element=DIPOLE)
    scene = draw_scene(spec, 4, 1, 25.0, torch.Generator().manual_seed(8))
    batch = make_batch(receive(scene, 200, "gaussian", torch.Generator().manual_seed(9)).snapshots)
    found = make_estimator(method, spec)(batch, 1)
    told = incident(spec, found)
    gain = found.elevation.cos().clamp_min(0.01) ** 2
    np.testing.assert_allclose(told.power, found.power / gain)
    if method in ("ml", "map", "posterior"):
        error_db = 10 * (told.power / scene.incident_power).log10()
        # 200 Gaussian samples tell a power to 0.3 dB; an error of elevation adds 8.7 tan(el) dB a rad
        assert error_db.abs().max() < 2.5
    assert incident(load_spec("dome8"), found) is found
