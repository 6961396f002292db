"""What a message says of one estimate: the same values, in degrees and dB."""

import math

import numpy as np
import pytest
import torch

from doamc.estimates import make_message, validate
from doamc.estimates.message_values import message_values
from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.posterior.methods import Posterior
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from doamc.trials.mismatch import ROWS

REST = {
    "seq": 0, "time": 0.0, "sample_time": 0.0, "frequency_hz": None, "array": "ula8", "method": "posterior",
    "snapshots": 100, "latency_ms": {}, "dropped_batches": 0,
}  # fmt: skip


@pytest.mark.parametrize("sources", [2, None])
def test_a_posterior_tells_intervals_modes_and_spread(sources):
    spec = load_spec("ula8")
    scene = draw_scene(spec, 3, 2, 10.0, torch.Generator().manual_seed(1))
    y = receive(scene, 100, generator=torch.Generator().manual_seed(2)).snapshots
    estimates = estimate_batch(open_estimator("posterior", spec, sources, "cpu", 0), make_batch(y), sources)
    message = make_message(**REST | message_values(estimates, 1))
    validate(message)
    assert [s["azimuth_deg"] for s in message["sources"]] == pytest.approx(estimates.azimuth[1].rad2deg().tolist())
    for source in message["sources"]:
        low, high = source["interval_deg"]
        assert low < source["azimuth_deg"] < high
        assert high - low == pytest.approx(2 * 1.645 * source["std_deg"], rel=0.3)  # a normal interval, about
    assert np.shape(message["coupling_std"]) == (8, 8)
    assert sum(m["share"] for m in message["modes"]) == pytest.approx(1.0)
    assert message["modes"][0]["azimuth_deg"] == pytest.approx(estimates.azimuth[1].rad2deg().tolist())
    assert 0.9 * 100 <= message["effective_snapshots"] <= 100  # white waveforms
    fit = message["fit"]
    assert fit["misfit"] == pytest.approx(float(estimates.misfit[1])) and 0.001 <= fit["probability"] <= 1
    assert (fit["doubtful"], fit["cause"]) == (False, None)
    if sources is None:
        assert sum(message["source_probability"]) == pytest.approx(1.0)
        assert int(np.argmax(message["source_probability"])) == message["n_sources"]
    else:
        assert "source_probability" not in message


def test_a_posterior_tells_how_far_off_its_model_is_where_that_is_seen():
    spec = load_spec("ula8")
    scene = draw_scene(spec, 1, 2, 10.0, torch.Generator().manual_seed(1))
    y = receive(scene, 200, generator=torch.Generator().manual_seed(3)).snapshots
    phase = torch.tensor([0.0, 0.3, -0.2, 0.1, 0.25, -0.3, 0.0, 0.2])[:, None]
    for snapshots, seen in ((y, False), (y * torch.polar(torch.ones_like(phase), phase), True)):
        message = make_message(**REST | message_values(Posterior("ula8")(make_batch(snapshots), 2)))
        validate(message)
        assert ("model_error_db" in message) == ("model_error_interval_db" in message) == seen
    low, high = message["model_error_interval_db"]
    assert -25 < low <= message["model_error_db"] <= high <= -6  # 0.21 r.m.s.: -14 dB


def test_other_methods_say_less():
    spec = load_spec("ula8")
    scene = draw_scene(spec, 1, 1, 10.0, torch.Generator().manual_seed(1))
    y = receive(scene, 100, generator=torch.Generator().manual_seed(2)).snapshots
    estimates = estimate_batch(open_estimator("music", spec, 1, "cpu", 0), make_batch(y), 1)
    message = make_message(**REST | message_values(estimates))
    validate(message)
    of_posteriors = {"modes", "coupling_std", "effective_snapshots", "source_probability", "model_error_db"}
    assert message.keys().isdisjoint(of_posteriors)
    assert math.isfinite(message["sources"][0]["azimuth_deg"]) and "interval_deg" not in message["sources"][0]


def test_a_batch_that_does_not_fit_says_so_and_which_stream_is_off():
    trial = ROWS["deaf"].make(1, torch.Generator().manual_seed(1))
    told = estimated(trial, "posterior:noise=equal")
    fit = make_message(**REST | message_values(told))["fit"]
    assert fit["doubtful"] and fit["misfit"] > 10 and fit["probability"] < 1e-3
    assert fit["cause"] == "channel 3 off" and "model" not in fit
    turned = [7, 6, 5, 4, 3, 2, 1, 0]  # stream 4 comes from element 3
    assert make_message(**REST | message_values(told, channels=turned))["fit"]["cause"] == "channel 4 off"


def test_a_message_tells_what_was_done_about_a_receiver():
    turned = [7, 6, 5, 4, 3, 2, 1, 0]
    for name, channels, model in (
        ("deaf", (), "channel 3 left out"), ("deaf", turned, "channel 4 left out"),
        ("noisy-channel-6", (), "noise by channel"), ("swapped", (), "channels 2 and 3 swapped"),
    ):  # fmt: skip
        trial = ROWS[name].make(1, torch.Generator().manual_seed(1))
        message = make_message(**REST | message_values(estimated(trial, "posterior"), channels=channels))
        validate(message)
        assert message["fit"]["model"] == model and not message["fit"]["doubtful"]


def estimated(trial, method):
    made = open_estimator(method, trial.spec, trial.told, "cpu", 0)
    return estimate_batch(made, make_batch(trial.snapshots), trial.told)


def test_a_message_tells_that_the_wide_prior_was_used():
    trial = ROWS["outside-75"].make(1, torch.Generator().manual_seed(1))
    for prior, told in (("auto", "wide"), ("narrow", None)):
        estimates = estimate_batch(
            open_estimator(f"posterior:prior={prior}", trial.spec, 1, "cpu", 0), make_batch(trial.snapshots), 1
        )
        message = make_message(**REST | message_values(estimates))
        validate(message)
        fit = message["fit"]
        assert (fit.get("prior"), fit["doubtful"], fit["cause"]) == (told, told is None, "outside the sector")


def test_an_array_with_elevations_tells_them():
    spec = load_spec("dome8")
    scene = draw_scene(spec, 2, 1, 20.0, torch.Generator().manual_seed(4))
    y = receive(scene, 200, generator=torch.Generator().manual_seed(5)).snapshots
    estimates = open_estimator("posterior", spec, 1, "cpu", 0)(make_batch(y), 1)
    message = make_message(**REST | {"array": "dome8"} | message_values(estimates, 1))
    validate(message)
    (source,) = message["sources"]
    assert source["elevation_deg"] == pytest.approx(math.degrees(float(estimates.elevation[1, 0])))
    low, high = source["elevation_interval_deg"]
    assert low < source["elevation_deg"] < high
    assert high - low == pytest.approx(2 * 1.645 * source["elevation_std_deg"], rel=0.3)
    assert message["modes"][0]["elevation_deg"] == pytest.approx([source["elevation_deg"]], abs=5)
