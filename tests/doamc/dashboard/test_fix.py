"""From views of several receivers to a crossing on the map."""

import math

import pytest

from doamc.dashboard.fix import MAX_AGE_S, by_strength, locate
from doamc.dashboard.receivers import Receiver, load_receivers
from doamc.dashboard.view import estimate_view

from .serving import estimate

A = Receiver("a", "tcp://a:1", heading_deg=90.0, east_m=0.0, north_m=0.0)
B = Receiver("b", "tcp://b:1", heading_deg=0.0, east_m=1000.0, north_m=0.0)
C = Receiver("c", "tcp://c:1", heading_deg=180.0, east_m=0.0, north_m=1000.0)


def view(azimuth, std=1.0, received=100.0, power=None):
    std = None if std is None else [std] * len(azimuth)
    return estimate_view(estimate(azimuth_deg=azimuth, std_deg=std, power_db=power or [0.0] * len(azimuth)), received)


def test_azimuths_cross_by_heading():
    """a looks east (+x at bearing 90), its azimuth 45 is north-east; b looks north, its azimuth 45 is north-west."""
    (fix,) = locate([A, B], [view([45.0]), view([45.0])], 100.0)
    assert (fix["east_m"], fix["north_m"]) == pytest.approx((500.0, 500.0))
    assert fix["major_m"] == pytest.approx(fix["minor_m"])
    radius = math.sqrt(-2 * math.log(0.05)) * math.radians(1.0) * 500 * math.sqrt(2)
    assert fix["major_m"] == pytest.approx(radius) and fix["misfit"] is None and fix["receivers"] == 2
    assert "latitude" not in fix


def test_a_station_without_a_heading_takes_that_of_its_estimates():
    a = Receiver("a", "tcp://a:1", east_m=0.0, north_m=0.0)
    told = estimate_view(estimate(azimuth_deg=[45.0], std_deg=[1.0], power_db=[0.0], heading_deg=90.0), 100.0)
    (fix,) = locate([a, B], [told, view([45.0])], 100.0)
    assert (fix["east_m"], fix["north_m"]) == pytest.approx((500.0, 500.0))


def test_the_strongest_source_is_crossed():
    ordered = by_strength(view([1.0, 2.0, 3.0], power=[-3.0, 1.0, 0.0]))
    assert [s["azimuth_deg"] for s in ordered] == [2.0, 3.0, 1.0]
    (fix,) = locate([A, B], [view([-60.0, 45.0], power=[-9.0, 0.0]), view([45.0, 80.0], power=[0.0, -1.0])], 100.0)
    assert (fix["east_m"], fix["north_m"]) == pytest.approx((500.0, 500.0))


def test_the_uncertainty_of_headings_and_unknown_deviations_widen_the_ellipse():
    plain = locate([A, B], [view([45.0]), view([45.0])], 100.0)[0]["major_m"]
    loose = [Receiver(r.name, r.connect, r.heading_deg, math.sqrt(3.0), r.east_m, r.north_m) for r in (A, B)]
    assert locate(loose, [view([45.0]), view([45.0])], 100.0)[0]["major_m"] == pytest.approx(2 * plain)
    assert locate([A, B], [view([45.0], None), view([45.0], None)], 100.0)[0]["major_m"] == pytest.approx(5 * plain)


@pytest.mark.parametrize(
    "receivers, views",
    [
        ([A, B], [view([45.0]), None]),
        ([A, B], [view([45.0]), view([])]),
        ([A, B], [view([45.0]), view([45.0], received=100.0 - MAX_AGE_S - 0.1)]),
        ([A, Receiver("b", "tcp://b:1", east_m=1.0, north_m=1.0)], [view([45.0]), view([45.0])]),
        ([A, Receiver("b", "tcp://b:1", heading_deg=0.0)], [view([45.0]), view([45.0])]),
        ([A, B], [view([-45.0]), view([45.0])]),
    ],
    ids=["nothing yet", "no source", "old", "no heading", "no position", "behind"],
)
def test_without_two_bearings_that_meet_there_is_no_crossing(receivers, views):
    assert locate(receivers, views, 100.0) == []


def test_a_third_bearing_shows_whether_they_agree():
    c = Receiver("c", "tcp://c:1", heading_deg=180.0, east_m=500.0, north_m=1500.0)
    (good,) = locate([A, B, c], [view([45.0]), view([45.0]), view([0.0])], 100.0)
    assert good["misfit"] == pytest.approx(0.0, abs=1e-6)
    assert locate([A, B, c], [view([45.0]), view([45.0]), view([20.0])], 100.0)[0]["misfit"] > 3


def test_three_receivers_tell_two_emitters_apart():
    """Whatever the powers say: each receiver hears another of the two as the stronger one."""
    c = Receiver("c", "tcp://c:1", heading_deg=180.0, east_m=300.0, north_m=1500.0)
    places, receivers = ((500.0, 500.0), (150.0, 900.0)), (A, B, c)
    views = []
    for i, r in enumerate(receivers):
        azimuths = [r.heading_deg - math.degrees(math.atan2(e - r.east_m, n - r.north_m)) for e, n in places]
        views.append(view(azimuths, power=[[0.0, -3.0], [-3.0, 0.0], [0.0, -1.0]][i]))
    fixes = locate(list(receivers), views, 100.0)
    assert sorted((f["east_m"], f["north_m"]) for f in fixes) == [pytest.approx(p) for p in sorted(places)]
    assert all(f["misfit"] < 1e-6 for f in fixes)


def test_degrees_of_the_crossing(tmp_path):
    """Two receivers on a parallel: the crossing lies on the meridian between them."""
    path = tmp_path / "s.toml"
    rows = [("a", 5577, 11.50, 90), ("b", 5578, 11.52, 0)]
    path.write_text(
        "".join(
            f'[[receiver]]\nname = "{n}"\nconnect = "tcp://127.0.0.1:{p}"\nlatitude = 48\nlongitude = {lo}\n'
            f"heading_deg = {h}\n"
            for n, p, lo, h in rows
        )
    )
    receivers = load_receivers(path)
    (fix,) = locate(receivers, [view([45.0]), view([45.0])], 100.0)
    half = receivers[1].east_m
    assert fix["longitude"] == pytest.approx(11.51) and fix["north_m"] == pytest.approx(half)
    assert fix["latitude"] == pytest.approx(48 + math.degrees(half / 6_371_008.8))


@pytest.mark.parametrize("std", [(1e60, 0.0), (0.0, 1e60), (1e60, 1e60), (1e-60, 1e60)])
def test_deviations_that_nobody_means_end_nothing(std):
    """A bearing known beyond 180 degrees is none: the crossing is where the other line says, and finite."""
    for receivers, views in (
        ([A, B], [view([45.0], std[0]), view([45.0], std[1])]),
        ([A, B, C], [view([45.0], std[0]), view([45.0], std[1]), view([45.0])]),
    ):
        for fix in locate(receivers, views, 100.0):
            assert all(math.isfinite(v) for v in fix.values() if isinstance(v, float))
