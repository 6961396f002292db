"""Elevations in specifications: what is taken, and which arrays cannot tell them."""

from dataclasses import replace

import pytest

from doamc.errors import EstimatorError, SpecificationError
from doamc.estimators import make_estimator
from doamc.spec import load_spec
from doamc.spec.elevation import require_horizon
from tests.doamc.helpers.scenes import edited_spec


def test_the_horizon_alone_unless_told():
    assert load_spec("uca5").elevation_deg is None and not load_spec("uca5").elevated
    assert load_spec("uca5").elevation_rad == (0.0, 0.0)
    assert load_spec("dome8").elevation_deg == (0.0, 75.0) and load_spec("panel16").elevation_deg == (-40.0, 40.0)
    assert load_spec("panel16").at(2.0).elevation_deg == (-40.0, 40.0)
    assert load_spec("dome8").digest != edited_spec("dome8", sector={"elevation_deg": [0.0, 60.0]}).digest


@pytest.mark.parametrize(
    ("array", "sections", "words"),
    [
        ("ula8", {"sector": {"elevation_deg": [0, 40]}}, "a line of elements cannot tell elevation"),
        ("uca5", {"sector": {"elevation_deg": [-10, 40]}}, "from above and from below alike"),
        ("uca5", {"sector": {"elevation_deg": [10, 10]}}, "low < high"),
        ("uca5", {"sector": {"elevation_deg": [0, 100]}}, "within -90 to 90"),
        ("kraken5", {"sector": {"elevation_deg": [0, 40]}}, "drawn from antennas"),
        ("panel16", {"coupling": {"lags": [[0, 0], [1, 0], [1, 1]]}}, "different lags other than"),
        ("panel16", {"coupling": {"lags": [[0, 1], [0, 1], [1, 1]]}}, "different lags other than"),
        ("panel16", {"coupling": {"lags": [[0, 1], [4, 0], [1, 1]]}}, r"up to \[3, 3\]"),
        ("panel16", {"coupling": {"lags": [[0, 1]]}}, "one range for each of 1 lags, found 3"),
        ("panel16", {"coupling": {"lags": [[0, 1.5]]}}, "in whole numbers"),
        ("panel16", {"coupling": {"diagonal": 0.1}}, "found 'diagonal'"),
    ],
)
def test_what_cannot_be_is_refused(array, sections, words):
    with pytest.raises(SpecificationError, match=words):
        edited_spec(array, **sections)


def test_the_lattice_is_of_rectangles():
    lattice = {"family": "lattice", "lags": [[0, 1]], "magnitude": [[0.1, 0.2]]}
    with pytest.raises(SpecificationError, match="of geometry 'ura', found 'uca'"):
        edited_spec("uca5", coupling=lattice)


def test_methods_that_find_azimuths_alone_say_so():
    with pytest.raises(EstimatorError, match=r"esprit finds azimuths alone.*use one of .*bcs"):
        make_estimator("esprit", "panel16")


def test_what_knows_azimuths_alone_refuses():
    with pytest.raises(SpecificationError, match="a scan of a band knows azimuths alone, found elevation_deg"):
        require_horizon(load_spec("dome8"), "a scan of a band")


def test_what_an_array_cannot_tell_apart_is_said():
    assert "an emitter below the plane of the elements looks like its mirror image above" in load_spec("dome8").alike
    below = edited_spec("dome8", sector={"elevation_deg": [-75.0, 0.0]})
    assert "an emitter above the plane of the elements looks like its mirror image below" in below.alike
    assert "behind the plane" in load_spec("panel16").alike and load_spec("uca5").alike is None
    corner = {"kind": "positions", "points_wavelengths": [[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]}
    assert replace(load_spec("dome8"), geometry=corner).alike is None
