"""Stone Soup's JPDA filter on the same sightings, in the optional group `referee`: pip install gr-doamc[referee]."""

import numpy as np
import pytest
from benchmarks.yardsticks import following
from benchmarks.yardsticks.bearing_scenes import crossing, town
from benchmarks.yardsticks.gospa import mean_gospa_deg

from doamc.tracks.motion import transition

pytest.importorskip("stonesoup")
pytestmark = pytest.mark.filterwarnings("ignore")  # theirs


@pytest.mark.parametrize("kind", [crossing, town])
def test_gospa_within_a_tenth_of_theirs(kind):
    from benchmarks.yardsticks import stone_soup

    scene = kind(np.random.default_rng(5), 150)
    ours, theirs = following.follow(scene), stone_soup.follow(scene, 1.5, 10.0)
    assert mean_gospa_deg(scene.truth, ours) <= 1.1 * mean_gospa_deg(scene.truth, theirs)


def test_the_motion_is_theirs():
    import datetime

    from stonesoup.models.transition.linear import OrnsteinUhlenbeck

    theirs, step = OrnsteinUhlenbeck(2 / 10.0 * 1.5**2, 1 / 10.0), datetime.timedelta(seconds=0.7)
    f, q = transition(0.7, 1.5, 10.0)
    np.testing.assert_allclose(theirs.matrix(time_interval=step), f, rtol=1e-9)
    np.testing.assert_allclose(np.asarray(theirs.covar(time_interval=step)), q, rtol=1e-6)
