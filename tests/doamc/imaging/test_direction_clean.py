import numpy as np
import pytest

from doamc.errors import ImagingError
from doamc.imaging.array_beam import ArrayBeam
from doamc.imaging.direction_clean import clean, restored
from doamc.imaging.sky_grid import field

from .array_scene import circle, scene

BEAM = ArrayBeam(circle(), field(pixels=48))


def test_one_point_goes_by_the_gain_with_every_component():
    """Högbom's loop on a single source: after k components (1 - gain)^k of it are left, wherever it lies."""
    v = scene(circle(), 33.3, 47.1, 2.0, noise=0.0).covariance
    cleaned = clean(BEAM, v, np.zeros((48, 48)), gain=0.25, most=10)
    assert cleaned.powers == pytest.approx(2.0 * 0.25 * 0.75 ** np.arange(10), rel=1e-3)
    np.testing.assert_allclose(cleaned.residual, 0.75**10 * BEAM.dirty(v), atol=2e-3)


def test_the_residual_is_the_image_of_what_is_left():
    v = scene(circle(), [20.0, 110.0], [60.0, 40.0], [1.0, 0.5], noise=0.0).covariance
    cleaned = clean(BEAM, v, np.full((48, 48), 1e-3))
    np.testing.assert_allclose(BEAM.dirty(cleaned.left), cleaned.residual, atol=1e-12)
    assert np.abs(cleaned.residual).max() <= 1e-3
    image = restored(BEAM, cleaned.directions, cleaned.powers)
    assert image.max() == pytest.approx(1.0, abs=0.04)  # of a source between pixels
    # no sidelobe is left of those that the dirty image has, whose highest is 0.16
    away = np.min([BEAM.separation(d) for d in scene(circle(), [20.0, 110.0], [60.0, 40.0]).directions], 0) > 6
    assert np.abs(image[away & BEAM.grid.inside]).max() < 0.005


def test_nothing_is_taken_below_the_floor_or_beyond_the_number():
    v = scene(circle(), 33.3, 47.1, noise=0.0).covariance
    assert clean(BEAM, v, np.full((48, 48), 1.01)).powers.size == 0
    assert clean(BEAM, v, np.zeros((48, 48)), most=7).powers.size == 7
    for options in ({"gain": 0.0}, {"gain": 1.5}, {"most": -1}):
        with pytest.raises(ImagingError, match="expected a gain"):
            clean(BEAM, v, np.zeros((48, 48)), **options)
