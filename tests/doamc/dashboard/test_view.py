"""What of a message reaches the page."""

import numpy as np

from doamc.dashboard.view import coupling_view, estimate_view

from .serving import estimate, toeplitz

ELEVATIONS = ("elevation_deg", "elevation_std_deg", "elevation_interval_deg", "elevation_correlation")


def test_a_view_says_what_was_sent():
    message = estimate(
        7, interval_deg=[[-24.7, -22.2], [37.4, 45.6]], effective_snapshots=100.0, source_probability=[0.0, 0.1, 0.9],
        modes=[{"share": 0.7, "azimuth_deg": [-23.45, 41.5]}, {"share": 0.3, "azimuth_deg": [10.0, 41.5]}],
    )  # fmt: skip
    view = estimate_view(message, 123.5)
    unknown = dict.fromkeys(("bearing_deg", "bearing_interval_deg", *ELEVATIONS))
    assert view["sources"] == [source | unknown for source in message["sources"]] and view["heading_deg"] is None
    assert view["sources"][0]["interval_deg"] == [-24.7, -22.2]
    for key in ("seq", "time", "array", "method", "latency_ms", "modes", "source_probability", "effective_snapshots"):
        assert view[key] == message[key], key
    fit = {"misfit": 30.5, "probability": 0.0, "doubtful": True, "cause": "channel 3 off"}
    told = estimate_view(estimate(8, fit=fit), 123.5)["fit"]
    assert (
        estimate_view(estimate(9, alike="above and below"), 1.0)["alike"] == "above and below" and view["alike"] == ""
    )
    assert told == {"misfit": 30.5, "doubtful": True, "cause": "channel 3 off", "model": None}
    left_out = estimate_view(estimate(9, fit=fit | {"model": "wide prior"}, snapshots_left_out=2), 123.5)
    assert (left_out["fit"]["model"], left_out["left_out"], view["left_out"]) == ("wide prior", 2, 0)
    assert view["received"] == 123.5 and view["has_coupling"] is True and "coupling" not in view


def test_a_view_without_what_only_a_posterior_tells():
    view = estimate_view(estimate(std_deg=None, power_db=None, coupling=None), 1.0)
    unknown = dict.fromkeys(("std_deg", "power_db", "interval_deg", "bearing_deg", "bearing_interval_deg", *ELEVATIONS))
    assert view["sources"][0] == {"azimuth_deg": -23.45} | unknown
    assert (view["modes"], view["source_probability"], view["effective_snapshots"]) == ([], [], None)
    assert view["fit"] == {"misfit": None, "doubtful": None, "cause": None, "model": None}
    assert view["has_coupling"] is False and coupling_view(estimate(coupling=None)) is None


def test_the_heading_of_the_stations_goes_before_that_of_the_message():
    message = estimate(azimuth_deg=[10.0], std_deg=[1.0], power_db=[0.0], interval_deg=[[8.0, 13.0]], heading_deg=90.0)
    own, told = estimate_view(message, 1.0), estimate_view(message, 1.0, 100.0)
    assert (own["heading_deg"], own["sources"][0]["bearing_deg"]) == (90.0, 80.0)
    assert (told["heading_deg"], told["sources"][0]["bearing_deg"]) == (100.0, 90.0)
    assert told["sources"][0]["bearing_interval_deg"] == [87.0, 92.0]
    assert message["heading_deg"] == 90.0  # what is recorded stays as it came


def test_coupling_with_its_spread():
    matrix = coupling_view(estimate(coupling_std=np.full((4, 4), 0.02)))
    np.testing.assert_allclose(np.array(matrix["re"]) + 1j * np.array(matrix["im"]), toeplitz(4))
    assert matrix["std"] == [[0.02] * 4] * 4 and coupling_view(estimate())["std"] is None
