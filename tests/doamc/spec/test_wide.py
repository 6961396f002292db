"""The wide prior: powers, separation by the aperture, the half circle of a line wherever it points."""

import math
from dataclasses import replace

import pytest
import torch

from doamc.spec import load_spec
from doamc.spec.wide import with_wide_prior
from tests.doamc.helpers.scenes import edited_spec


def along(degrees, sector):
    turn = torch.tensor([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))], dtype=torch.float64)
    points = (0.5 * torch.arange(4)[:, None] * turn).tolist()
    geometry = {"kind": "positions", "points_wavelengths": points}
    return replace(load_spec("ula4"), geometry=geometry, azimuth_deg=sector)


def test_everything_of_the_specification_stays_possible():
    for name in ("ula8", "uca5", "kraken5", "dipole8", "seed16"):
        spec = load_spec(name)
        wide = with_wide_prior(spec)
        assert wide.azimuth_deg[0] <= spec.azimuth_deg[0] and wide.azimuth_deg[1] >= spec.azimuth_deg[1]
        assert wide.min_separation_deg < spec.min_separation_deg
        assert wide.power_db == (-46.0, 6.0)  # of 0 dB at most: 40 dB, and 6 dB at either end
        kept = ("snr_db", "source_count", "geometry", "coupling", "frequency", "name")
        assert [getattr(wide, k) for k in kept] == [getattr(spec, k) for k in kept]
        if spec.family.narrow:
            assert wide.family is spec.family
        else:  # from no coupling to half as large again
            assert torch.equal(wide.family.magnitude[:, 0], torch.zeros(len(spec.family.magnitude)).double())
            assert torch.equal(wide.family.magnitude[:, 1], 1.5 * spec.family.magnitude[:, 1])


def test_separation_is_a_twentieth_of_a_beamwidth():
    assert with_wide_prior(load_spec("ula8")).min_separation_deg == pytest.approx(math.degrees(0.05 * 0.886 / 3.5))
    aperture = 2 * 0.35 * math.sin(math.radians(72))  # of five elements on a circle
    assert with_wide_prior(load_spec("uca5")).min_separation_deg == pytest.approx(math.degrees(0.05 * 0.886 / aperture))


@pytest.mark.parametrize(
    ("line_deg", "sector", "wide"),
    [(90, (-60, 60), (-90, 90)), (0, (30, 150), (0, 180)), (30, (-100, 0), (-150, 30)), (120, (150, 240), (120, 300)),
     (90, (-95, 60), (-95, 90))],
)  # fmt: skip
def test_a_line_hears_its_half_circle(line_deg, sector, wide):
    assert with_wide_prior(along(line_deg, sector)).azimuth_deg == pytest.approx(wide)


def test_other_arrays_hear_all_around_and_a_mast_what_it_is_told():
    circle = replace(load_spec("uca5"), azimuth_deg=(-60.0, 60.0))
    assert with_wide_prior(circle).full_circle
    mast = {"kind": "positions", "points_wavelengths": [[0.0, 0.0, 0.5 * k] for k in range(4)]}
    spec = replace(load_spec("ula4"), geometry=mast)
    assert with_wide_prior(spec).azimuth_deg == spec.azimuth_deg


def test_elevations_reach_as_far_as_the_array_tells_them():
    assert with_wide_prior(load_spec("uca5")).elevation_deg is None
    assert with_wide_prior(load_spec("dome8")).elevation_deg == (0.0, 85.0)
    assert with_wide_prior(edited_spec("dome8", sector={"elevation_deg": [-60, -5]})).elevation_deg == (-85.0, 0.0)
    assert with_wide_prior(load_spec("panel16")).elevation_deg == (-85.0, 85.0)
    assert with_wide_prior(load_spec("panel16")).azimuth_deg == (-90.0, 90.0)  # a panel hears its mirror image alike
