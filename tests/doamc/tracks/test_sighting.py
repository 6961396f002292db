import math

import pytest

from doamc.errors import EstimatorError
from doamc.tracks import Sighting, sightings_of

SOURCE = {"azimuth_deg": 10.0, "std_deg": 0.5, "power_db": 0.0}


def test_each_source_gets_its_own_coordinate_of_the_modes():
    message = {
        "sources": [SOURCE, SOURCE | {"azimuth_deg": 40.0}],
        "modes": [
            {"share": 0.7, "azimuth_deg": [10.0, 40.0], "std_deg": [0.5, 0.4]},
            {"share": 0.3, "azimuth_deg": [10.2, 140.0], "std_deg": [0.6, 0.0]},
        ],
    }
    first, second = sightings_of(message, 3e8, 1e4)
    assert first.modes == ((10.0, 0.5, 0.7), (10.2, 0.6, 0.3))
    assert second.modes == ((40.0, 0.4, 0.7), (140.0, 1e-3, 0.3)) and second.frequency_hz == 3e8


def test_sources_without_a_spread_are_left_out():
    assert sightings_of({"sources": [SOURCE | {"std_deg": None}, SOURCE]}) == [Sighting(((10.0, 0.5, 1.0),))]


@pytest.mark.parametrize("modes", [(), ((0.0, 0.0, 1.0),), ((math.nan, 1.0, 1.0),), ((0.0, 1.0, -1.0),), ((0.0, 1.0),)])
def test_what_is_no_posterior_is_refused(modes):
    with pytest.raises(EstimatorError, match="expected modes"):
        Sighting(modes)


def test_frequencies_are_numbers():
    with pytest.raises(EstimatorError, match="finite frequency"):
        Sighting(((0.0, 1.0, 1.0),), math.inf)
    with pytest.raises(EstimatorError, match="bandwidth"):
        Sighting(((0.0, 1.0, 1.0),), 3e8, -1.0)
