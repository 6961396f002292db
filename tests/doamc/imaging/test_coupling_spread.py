"""What images owe to an error of the coupling that was taken out."""

import numpy as np
import pytest

from doamc.imaging.array_beam import ArrayBeam
from doamc.imaging.array_image import array_image
from doamc.imaging.array_visibilities import array_visibilities
from doamc.imaging.coupling_spread import with_coupling_spread
from doamc.imaging.sky_grid import field

from .array_scene import circle, circulant, scene

C = circulant(16, 0.25 * np.exp(0.6j), 0.1 * np.exp(-2.0j))
SKY = scene(circle(), [20.0, 110.0], 20.0, [1.0, 0.5], coupling=C)
BEAM = ArrayBeam(SKY.positions, field(pixels=24))
#: batches, and the error of each of their estimates: that of the mean is far above what 100 000 samples leave
BATCHES, ERROR, LENGTH = 16, 0.01, 100_000


def measured(seed):
    rng = np.random.default_rng(seed)
    errors = rng.standard_normal((2, BATCHES, 16, 16))
    return SKY.sample(LENGTH, seed), C + ERROR * (errors[0] + 1j * errors[1])


def test_deviations_hold_the_error_of_the_coupling():
    """Off by one deviation in pixels and bearings; by five and eleven of those that take the coupling as known."""
    truth = BEAM.dirty(array_visibilities(SKY.covariance, LENGTH, SKY.noise, C, 2).values)
    inside, pixels, bearings = BEAM.grid.inside, [], []
    for seed in range(12):
        r, couplings = measured(seed)
        known = array_image(BEAM, array_visibilities(r, LENGTH, None, couplings.mean(0), 2), 2)
        for image in (known, with_coupling_spread(known, BEAM, r, couplings)):
            pixels.append(np.square((image.dirty - truth)[inside] / image.std[inside]).mean())
            off = [(s.azimuth_deg - at) / s.azimuth_std_deg for s, at in zip(image.sources, (20, 110), strict=True)]
            bearings.append(np.square(off).mean())
    known, held = (np.sqrt([np.mean(v[k::2]) for v in (pixels, bearings)]) for k in (0, 1))
    assert (known > 3).all() and held[0] == pytest.approx(1, abs=0.15) and 0.7 < held[1] < 1.6


def test_one_batch_tells_no_spread_and_batches_that_agree_add_none():
    r, couplings = measured(0)
    image = array_image(BEAM, array_visibilities(r, LENGTH, None, couplings[0], 2), 2)
    assert with_coupling_spread(image, BEAM, r, couplings[:1]) is image
    same = with_coupling_spread(image, BEAM, r, np.repeat(couplings[:1], 4, 0))
    np.testing.assert_allclose(same.std, image.std)
    assert same.sources[0].azimuth_std_deg == pytest.approx(image.sources[0].azimuth_std_deg)
