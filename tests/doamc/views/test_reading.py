"""Messages as views read them, and what they refuse."""

import math

import numpy as np
import pytest

from doamc.errors import PublishError
from doamc.estimates import make_message
from doamc.views import read_estimate


def message(**changes):
    about = {
        "seq": 7, "time": 1.79e9, "sample_time": 2.5, "frequency_hz": None, "array": "ula8", "method": "ml",
        "azimuth_deg": [-20.0, 30.0], "std_deg": [0.5, math.nan], "power_db": None, "noise_power": 0.1,
        "coupling": np.array([[1, 0.1j], [0.1j, 1]]), "snapshots": 64,
        "latency_ms": {"buffer": 1.0, "inference": 2.0, "total": 3.0}, "dropped_batches": 4,
    }  # fmt: skip
    return make_message(**(about | changes))


def test_what_is_unknown_is_nan():
    r = read_estimate(message())
    assert (r.seq, r.time_s, r.array, r.method, r.dropped) == (7, 2.5, "ula8", "ml", 4)
    np.testing.assert_array_equal(r.azimuth_deg, [-20.0, 30.0])
    np.testing.assert_array_equal(r.std_deg, [0.5, math.nan])
    assert np.isnan(r.power_db).all() and r.latency_ms == {"buffer": 1.0, "inference": 2.0, "total": 3.0}
    np.testing.assert_array_equal(r.coupling, [[1, 0.1j], [0.1j, 1]])
    empty = read_estimate(message(azimuth_deg=[], std_deg=None, coupling=None, sample_time=None))
    assert r.heading_deg is None and read_estimate(message(heading_deg=80.5)).heading_deg == 80.5
    assert empty.azimuth_deg.shape == (0,) and empty.coupling is None and empty.time_s == 1.79e9


@pytest.mark.parametrize(
    "wrong",
    [None, [], {}, message() | {"sources": [{}]}, message() | {"coupling": {"re": [[1, 2]], "im": [[0, 0]]}},
     message() | {"sources": [{"azimuth_deg": None, "std_deg": None, "power_db": None}]}, message() | {"seq": "x"},
     message() | {"heading_deg": math.nan}, message() | {"heading_deg": "north"}, message() | {"receiver": 3}],
)  # fmt: skip
def test_other_messages_are_refused(wrong):
    with pytest.raises(PublishError, match="expected") as caught:
        read_estimate(wrong)
    assert "Error" not in str(caught.value)


@pytest.mark.parametrize(
    ("fit", "words"),
    [({"doubtful": True, "cause": "outside the sector"}, "doubtful: outside the sector"),
     ({"doubtful": True, "cause": "unknown"}, "doubtful: does not fit the model"),
     ({"doubtful": True}, "doubtful: does not fit the model"), ({"doubtful": False, "cause": None}, ""), (None, ""),
     ({"doubtful": True, "cause": "a\x1b[2J" + "b" * 300}, None)],
)  # fmt: skip
def test_what_a_view_says_of_a_batch_that_does_not_fit(fit, words):
    reading = read_estimate(message() | {"fit": fit})
    if words is None:
        assert len(reading.warning) < 100 and "\x1b" not in reading.warning
    else:
        assert reading.warning == words


def test_elevations_are_read_where_a_source_has_one():
    sent = message()
    assert read_estimate(sent).elevation_deg is None
    sent["sources"][1] |= {"elevation_deg": 31.2, "elevation_std_deg": None}
    reading = read_estimate(sent)
    assert np.isnan(reading.elevation_deg[0]) and reading.elevation_deg[1] == 31.2
    assert np.isnan(reading.elevation_std_deg).all()


def test_modes_of_estimates_with_elevations():
    """Of others there are none to show on a sky; more than sixteen are not shown, those of odd lengths neither."""
    mode = {"share": 0.7, "azimuth_deg": [1.0, 2.0], "std_deg": [1.0, 1.0]}
    told = [mode | {"elevation_deg": [3.0, None]}, mode, mode | {"elevation_deg": [3.0]}]
    modes = read_estimate(message(modes=told)).modes
    assert len(modes) == 1 and modes[0].share == 0.7 and modes[0].azimuth_deg.tolist() == [1.0, 2.0]
    assert modes[0].elevation_deg[0] == 3.0 and np.isnan(modes[0].elevation_deg[1])
    assert len(read_estimate(message(modes=told[:1] * 40)).modes) == 16 and read_estimate(message()).modes == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"fit": {"doubtful": False, "model": "wide prior"}}, "estimated with wide prior"),
     ({"fit": {"doubtful": False, "model": "channel 3 left out, wide prior"}, "snapshots_left_out": 2},
      "estimated with channel 3 left out, wide prior, 2 snapshots left out"),
     ({"snapshots_left_out": 1}, "estimated with 1 snapshot left out"), ({"fit": {"model": 3}}, ""), ({}, "")],
)  # fmt: skip
def test_what_a_view_says_of_what_an_estimate_takes_into_account(changes, words):
    assert read_estimate(message() | changes).remark == words
