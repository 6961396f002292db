"""Messages of schema doamc.signal/1, and annotations made of them."""

import pytest
import torch

from doamc.bands.bearings import Bearing
from doamc.bands.estimator import Receiver, SignalEstimator
from doamc.bands.message import signal_message
from doamc.errors import PublishError
from doamc.estimates import decode, encode, validate
from doamc.spec import load_spec
from tests.doamc.bands.test_estimator import covariance_of, signal

SPEC = load_spec("ula4")


def message(method="posterior", **more):
    estimator = SignalEstimator(Receiver(SPEC, SPEC.channels, 300e6), method, 1)
    s = signal(covariance_of(SPEC, [20.0]), 300.1e6)
    return signal_message(s, Bearing(estimator([s])[0], 6), "ula4", estimator.name, 100.0, **more)


@pytest.mark.parametrize("method", ["posterior", "music", "bartlett"])
def test_a_message_holds_its_schema_whatever_the_method_gives(method):
    m = message(method)
    validate(m)
    assert decode(encode(m)) == m
    assert (m["start_s"], m["stop_s"], m["time"], m["track"]) == (100.0, 100.5, None, None)
    assert (m["n_sources"], m["calibration"]) == (1, {"signals": 6})
    (source,) = m["sources"]
    assert abs(source["azimuth_deg"] - 20) < 10 and len(source["interval_deg"]) == 2


def test_time_and_bearing_where_they_are_known():
    m = message("music", time=1.79e9, heading_deg=90.0)
    validate(m)
    assert m["time"] == 1.79e9
    assert m["sources"][0]["bearing_deg"] == pytest.approx(90 - m["sources"][0]["azimuth_deg"])


def test_the_schema_refuses_what_is_no_signal():
    m = message("music")
    for key, value in (("duty", 1.5), ("bandwidth_hz", 0.0), ("id", -1), ("sources", [{"azimuth_deg": 1.0}])):
        with pytest.raises(PublishError, match=key):
            validate(m | {key: value})
    del m["snr_db"]
    with pytest.raises(PublishError):
        validate(m)


def test_a_method_without_intervals_has_none():
    s = signal(covariance_of(SPEC, [20.0]))
    estimator = SignalEstimator(Receiver(SPEC, SPEC.channels, 300e6), "bartlett", 1)
    (e,) = estimator([s])
    assert torch.isnan(e.std).all()
    m = signal_message(s, Bearing(e), "ula4", "bartlett")
    assert m["sources"][0]["std_deg"] is None and m["sources"][0]["interval_deg"] == [None, None]
    assert "calibration" not in m
