import math

import numpy as np
import pytest

from doamc.imaging.array_beam import ArrayBeam, facing
from doamc.imaging.array_image import array_image
from doamc.imaging.array_visibilities import array_visibilities
from doamc.imaging.sky_grid import field
from doamc.spec import load_spec

from .array_scene import circle, circulant, line, panel, scene


def imaged(sky, coupling, snapshots=200_000, pixels=48, seed=0, **options):
    beam = ArrayBeam(sky.positions, field(facing(sky.positions), 1.0, pixels))
    observed = array_visibilities(sky.sample(snapshots, seed), snapshots, None, coupling)
    return array_image(beam, observed, n_sources=len(sky.power), **options)


@pytest.mark.parametrize("coefficients", [(0.25 * np.exp(0.6j), 0.1 * np.exp(-2.0j)), (-0.2 + 0.1j, 0.08j)])
def test_taking_out_the_coupling_raises_the_dynamic_range_by_ten_decibels(coefficients):
    """Two emitters on the horizon of the circle that ships, coupling from its prior, one second at 200 kS/s."""
    c = circulant(16, *coefficients)
    sky = scene(load_spec("uca16").positions.numpy(), [20.0, 110.0], 0.0, [1.0, 0.5], coupling=c)
    left, removed = imaged(sky, None), imaged(sky, c)
    assert removed.dynamic_range_db >= left.dynamic_range_db + 10
    assert removed.dynamic_range_db > 30  # of 200 000 snapshots, whose sources correlate by chance by 1 / 450
    for source, azimuth, power in zip(removed.sources, [20.0, 110.0], [1.0, 0.5], strict=True):
        assert abs(source.azimuth_deg - azimuth) < 0.1 * source.beam_deg[0]
        assert source.power == pytest.approx(power, rel=0.03)


@pytest.mark.parametrize("positions", [circle(), panel()])
def test_points_are_found_within_a_hundredth_of_a_beam_and_their_own_deviation(positions):
    sky = scene(positions, [20.0, -35.0], [35.0, 60.0], [1.0, 0.4])
    found = imaged(sky, None)
    for k, source in enumerate(found.sources):
        for name, truth in (("azimuth", sky.azimuth_deg[k]), ("elevation", sky.elevation_deg[k])):
            off, std = getattr(source, f"{name}_deg") - truth, getattr(source, f"{name}_std_deg")
            width = source.beam_deg[name == "elevation"]
            assert abs(off) < 0.01 * width and std < 0.01 * width


def test_the_deviation_of_the_image_is_that_of_repeated_measurements():
    """(w^H R w)^2 / L of a complex Wishart matrix; deviations of 200 images scatter by 5 %."""
    c = circulant(16, 0.3 * np.exp(0.5j), 0.1j)
    sky = scene(circle(), [20.0, 110.0], 40.0, [1.0, 0.5], coupling=c)
    beam = ArrayBeam(sky.positions, field(pixels=12))
    images = [beam.dirty(array_visibilities(sky.sample(2000, k), 2000, 0.1, c).values) for k in range(200)]
    told = array_image(beam, array_visibilities(sky.covariance, 2000, 0.1, c), 2).std
    inside = beam.grid.inside
    ratio = np.std(images, 0)[inside] / told[inside]
    assert ratio.mean() == pytest.approx(1.0, abs=0.05) and np.abs(ratio - 1).max() < 0.25


def test_the_background_is_the_image_without_the_sources():
    sky = scene(circle(), [20.0, 110.0], 40.0, [1.0, 0.5])
    found = imaged(sky, None)
    assert found.image.max() == pytest.approx(1.0, abs=0.03) and found.peak == found.image.max()
    assert np.abs(found.background).max() < 0.02
    assert found.artefact >= found.rms
    assert found.dynamic_range_db == pytest.approx(10 * math.log10(found.peak / found.rms))
    assert not found.image[~found.grid.inside].any()


def test_a_line_tells_the_angle_from_itself_alone():
    found = imaged(scene(line(), [-20.0, 25.0], 0.0, [1.0, 0.5]), None)
    assert [s.azimuth_deg for s in found.sources] == pytest.approx([-20.0, 25.0], abs=0.05)
    assert all(math.isnan(s.elevation_std_deg) and s.beam_deg[1] == math.inf for s in found.sources)
    assert "cone" in found.alike


def test_noise_alone_has_no_source():
    beam = ArrayBeam(circle(), field(pixels=32))
    r = scene(circle(), [], noise=1.0).sample(10_000)
    found = array_image(beam, array_visibilities(r, 10_000))
    assert found.sources == [] and found.peak < 6 / math.sqrt(10_000)
