import math
import threading
import time

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr
from gr_doamc import coupled_array_source, doa_estimator, snapshot_buffer

from doamc.errors import CalibrationError, EstimatorError, SpecificationError
from doamc.estimates import validate
from doamc.estimators import METHODS
from doamc.spec import SHIPPED
from tests.gr.methods import Held
from tests.gr.running import batch_message, collector, connect_streams, posting, run, scene


@pytest.fixture(autouse=True)
def more_methods(monkeypatch):
    for name, kind in {"slow": "Slow", "held": "Held", "broken": "Broken", "garbled": "Garbled"}.items():
        monkeypatch.setitem(METHODS, name, f"tests.gr.methods:{kind}")


@pytest.fixture
def held():
    """held(count) -> what holds the method ``held`` until a block has received so many batches."""
    ended = threading.Event()

    def until(count):
        def open_when(block):
            while block.status("running")["counters"]["received"] < count and not ended.wait(0.005):
                pass
            Held.open.set()

        def hold(block):
            Held.open.clear()
            threading.Thread(target=open_when, args=(block,), daemon=True).start()

        return hold

    yield until
    ended.set()
    Held.open.set()


def estimates_of(messages, limit_s=90.0, begin=lambda block: None, **arguments):
    """Estimates, statuses and the block itself, after a run over messages to its port ``snapshots``."""
    block = doa_estimator(**({"array": "ula8", "method": "music", "sources": 2} | arguments))
    flowgraph = posting(messages, block, "snapshots", ("estimates", "status"))
    begin(block)
    run(flowgraph, limit_s)
    kept = flowgraph.collectors
    return kept["estimates"].messages, kept["status"].messages, block


def counters(statuses):
    last = statuses[-1]
    assert last["state"] == "stopped"
    counts = last["counters"]
    assert counts["received"] == counts["estimated"] + counts["dropped"] + counts["failed"]
    return counts


def test_estimates_of_streams_are_within_a_few_standard_deviations():
    flowgraph, kept = gr.top_block(), collector()
    emitters = [{"azimuth_deg": -20.0}, {"azimuth_deg": 25.0, "power_db": -3.0}]
    source = coupled_array_source("ula8", emitters, 10.0, 1e5, np.eye(8), 3)
    head = blocks.head(8, 20 * 500)
    buffer = snapshot_buffer(8, 256, 500, sample_rate=1e5, array="ula8")
    estimator = doa_estimator("ula8", "music", 2, queue_size=50)
    connect_streams(flowgraph, source, head, buffer)
    flowgraph.msg_connect(buffer, "snapshots", estimator, "snapshots")
    flowgraph.msg_connect(estimator, "estimates", kept, "in")
    run(flowgraph)
    assert buffer.produced == len(kept.raw) == 20
    for message in kept.messages:
        validate(message)
        found = [s["azimuth_deg"] for s in message["sources"]]
        # one estimate in a thousand lies five standard deviations off, were they half as large as MUSIC says
        std = [s["std_deg"] for s in message["sources"]]
        assert np.all(np.abs(np.subtract(found, [-20.0, 25.0])) < 5 * np.array(std)) and max(std) < 0.5
        assert message["array"] == "ula8" and message["method"] == "music" and message["snapshots"] == 256
        assert message["noise_power"] == pytest.approx(0.1, rel=0.3)
    by_batch = sorted(kept.messages, key=lambda m: m["batch_seq"])
    assert [m["batch_seq"] for m in by_batch] == list(range(20))
    assert [m["sample_time"] for m in by_batch] == pytest.approx([0.005 * k for k in range(20)])


def test_bearings_are_told_where_the_heading_is_known(tmp_path):
    """By the argument, which goes before the mount of the specification; unknown, no key of them is there."""
    roof = tmp_path / "roof.toml"
    roof.write_text((SHIPPED / "ula8.toml").read_text() + "\n[mount]\noffset_deg = 100.0\n")
    samples = scene((-20.0, 25.0), 256)
    for array, told, heading in (("ula8", None, None), (roof, None, 100.0), (roof, 350.0, 350.0)):
        (message,), _, block = estimates_of([batch_message(samples, 0)], array=str(array), heading_deg=told)
        validate(message)
        assert message.get("heading_deg") == block.heading_deg == heading
        for source in message["sources"]:
            azimuth = source["azimuth_deg"]
            assert source.get("bearing_deg") == (None if heading is None else pytest.approx((heading - azimuth) % 360))
    block.set_heading_deg(10)
    assert block.heading_deg == 10.0
    block.set_heading_deg(math.nan)
    assert block.heading_deg == 100.0  # of the mount
    with pytest.raises(EstimatorError, match="heading_deg must be degrees"):
        doa_estimator("ula8", "music", 2, heading_deg=math.inf)


def test_direction_and_coupling_together():
    emitters = [{"azimuth_deg": -20.0}, {"azimuth_deg": 25.0}]
    source = coupled_array_source("ula8", emitters, 15.0, 1e5, None, 7)
    flowgraph, kept = gr.top_block(), collector()
    head = blocks.head(8, 1000)
    buffer, estimator = snapshot_buffer(8, 1000, sample_rate=1e5), doa_estimator("ula8", "ml", 2)
    connect_streams(flowgraph, source, head, buffer)
    flowgraph.msg_connect(buffer, "snapshots", estimator, "snapshots")
    flowgraph.msg_connect(estimator, "estimates", kept, "in")
    run(flowgraph)
    (message,) = kept.messages
    coupling = np.array(message["coupling"]["re"]) + 1j * np.array(message["coupling"]["im"])
    before = np.linalg.norm(np.eye(8) - source.coupling)
    assert np.linalg.norm(coupling - source.coupling) < 0.1 * before  # 20 dB better than knowing nothing
    assert [s["azimuth_deg"] for s in message["sources"]] == pytest.approx([-20.0, 25.0], abs=0.5)


def test_the_number_of_sources_can_be_found():
    noise = scene((), 256) * 3
    found, _, _ = estimates_of(
        [batch_message(scene((-30.0, 10.0, 40.0), 256)), batch_message(noise, 1)], sources="auto", queue_size=9
    )
    by_batch = {m["batch_seq"]: m for m in found}
    assert [s["azimuth_deg"] for s in by_batch[0]["sources"]] == pytest.approx([-30, 10, 40], abs=1.0)
    assert by_batch[1]["n_sources"] == 0 and by_batch[1]["sources"] == [] and by_batch[1]["coupling"] is None
    assert by_batch[1]["noise_power"] == pytest.approx(np.mean(np.abs(noise) ** 2), rel=1e-5)


def test_every_batch_is_estimated_or_counted_as_dropped_and_the_newest_come_first(held):
    messages = [batch_message(np.full((8, 4), 0.01 * k + 0.01), k) for k in range(60)]
    found, statuses, _ = estimates_of(messages, method="held", sources=1, queue_size=3, begin=held(60))
    counts = counters(statuses)
    assert counts == {"received": 60, "estimated": len(found), "dropped": 60 - len(found), "failed": 0}
    assert 3 <= len(found) <= 4  # what is in the queue at the end, and the one in work, if one had been taken
    assert [m["seq"] for m in found] == list(range(len(found)))
    order = [m["batch_seq"] for m in found]
    assert order[-3:] == [59, 58, 57]
    for message in found:
        (source,) = message["sources"]
        assert math.radians(source["azimuth_deg"]) == pytest.approx(0.01 * message["batch_seq"] + 0.01, rel=1e-5)
    assert max(m["dropped_batches"] for m in found) == counts["dropped"]


def test_what_is_queued_at_the_end_is_still_estimated_and_latency_is_told():
    messages = [batch_message(np.ones((8, 4)), k, time=time.time()) for k in range(20)]
    found, statuses, block = estimates_of(messages, method="slow", sources=1, queue_size=100)
    assert counters(statuses)["estimated"] == len(found) == 20
    for m in found:
        latency = m["latency_ms"]
        assert latency["inference"] >= 30.0 and latency["buffer"] >= 0.0
        assert latency["total"] == pytest.approx(latency["buffer"] + latency["inference"])
    # one worker: whichever came last has waited for the other nineteen
    assert max(m["latency_ms"]["buffer"] for m in found) >= 19 * 30.0
    assert 0.0 < block.engine_cpu_s < 20 * 0.5


def test_the_end_of_the_stream_is_not_held_up_for_ever(held):
    messages = [batch_message(np.ones((8, 4)), k) for k in range(5)]
    found, statuses, _ = estimates_of(messages, method="held", sources=1, drain_timeout=0.3, begin=held(6))
    # the inference in work is given up after 0.3 s; that it ends later changes nothing any more
    assert counters(statuses) == {"received": 5, "estimated": 0, "dropped": 5, "failed": 0} and found == []


BAD = {
    "NaN": (np.where(np.arange(40).reshape(8, 5) == 7, np.nan, 1.0), "NaN or infinite"),
    "infinite": (np.where(np.arange(40).reshape(8, 5) == 7, np.inf, 1.0), "NaN or infinite"),
    "dead channel": (np.where(np.arange(8)[:, None] == 2, 0.0, scene((5.0,), 5)), "channel 2 is dead"),
    "all zero": (np.zeros((8, 5)), "all samples are zero"),
    "wrong channel count": (np.ones((5, 5)), "expected 8 channels"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_batch_is_told_counted_and_does_not_stop_the_next(kind):
    snapshots, words = BAD[kind]
    good = scene((-20.0, 25.0), 100)
    found, statuses, _ = estimates_of([batch_message(snapshots, 0), batch_message(good, 1)], queue_size=9)
    assert counters(statuses) == {"received": 2, "estimated": 1, "dropped": 0, "failed": 1}
    assert [m["batch_seq"] for m in found] == [1]
    errors = [s for s in statuses if s["state"] == "error"]
    assert len(errors) == 1 and words in errors[0]["last_error"] and "SnapshotError" in errors[0]["last_error"]
    for status in statuses:
        validate(status)


def test_a_message_that_is_no_batch_is_counted_too():
    found, statuses, _ = estimates_of([pmt.intern("hello"), batch_message(scene((3.0, 40.0), 50), 0)])
    assert counters(statuses) == {"received": 2, "estimated": 1, "dropped": 0, "failed": 1} and len(found) == 1


def test_an_unexpected_exception_in_a_method_is_told_and_counted():
    found, statuses, _ = estimates_of([batch_message(np.ones((8, 4)), k) for k in range(3)], method="broken", sources=1)
    assert counters(statuses)["failed"] == 3 and found == []
    assert statuses[-1]["last_error"] == "ZeroDivisionError: within the method"


def test_figures_that_no_message_can_hold_count_as_a_failure():
    messages = [batch_message(np.ones((8, 4)), k) for k in range(2)]
    found, statuses, _ = estimates_of(messages, method="garbled", sources=1)
    assert counters(statuses)["failed"] == 2 and found == []
    assert "power_db" in statuses[-1]["last_error"]


def test_stopping_on_error_ends_an_endless_stream():
    flowgraph, told = gr.top_block(), collector()
    source, pace = blocks.null_source(8), blocks.throttle(8, 1e6)
    buffer = snapshot_buffer(8, 16, sample_rate=1e5)
    estimator = doa_estimator("ula8", "music", 1, on_error="stop")
    connect_streams(flowgraph, source, pace, buffer)
    flowgraph.msg_connect(buffer, "snapshots", estimator, "snapshots")
    flowgraph.msg_connect(estimator, "status", buffer, "stop")
    flowgraph.msg_connect(estimator, "status", told, "in")
    run(flowgraph, 20.0)
    assert "all samples are zero" in told.messages[-1]["last_error"] and told.messages[-1]["state"] == "stopped"
    counts = estimator.status("stopped")["counters"]
    assert counts["failed"] == 1 and counts["received"] == buffer.produced == 1 + counts["dropped"]


def test_what_does_not_fit_shows_before_any_batch_comes():
    with pytest.raises(EstimatorError, match="linear"):
        doa_estimator("uca5", "esprit", 1)


def test_a_flowgraph_can_be_run_again():
    block = doa_estimator("ula8", "music", 1)
    flowgraph = posting([batch_message(scene((5.0,), 50), 0)], block, "snapshots", ("estimates",))
    run(flowgraph)
    flowgraph.poster.left = [batch_message(scene((5.0,), 50), 0)]
    run(flowgraph)
    assert [m["seq"] for m in flowgraph.collectors["estimates"].messages] == [0, 0]


def test_a_calibration_is_kept_from_run_to_run(tmp_path):
    path = str(tmp_path / "roof.safetensors")
    batches = [batch_message(scene((-20.0, 25.0), 128, 4, seed=k), k) for k in range(6)]
    more = {"array": "ula4", "method": "", "calibration": path, "queue_size": 6}
    first, statuses, block = estimates_of(batches, **more)
    assert counters(statuses)["estimated"] == 6 and block.engine.method == "self-calibrating"
    seen = [m["calibration"]["batches"] for m in first]
    assert sorted(seen) == [1, 2, 3, 4, 5, 6]  # the batch that the block estimates when it is made is not among them
    for message in first:
        validate(message)
    second, _, _ = estimates_of(batches[:1], **more)
    assert second[0]["calibration"]["batches"] == 7
    last = max(first, key=lambda m: m["calibration"]["batches"])["calibration"]
    assert second[0]["calibration"]["coupling_std"] < last["coupling_std"]
    with pytest.raises(EstimatorError, match="method music takes no calibration"):
        doa_estimator("ula4", "music", 2, calibration=path)
    with pytest.raises(CalibrationError, match="of array ula8"):
        doa_estimator("ula8", "", 2, calibration=path)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"method": "magic"}, EstimatorError, "method must be one of"),
        ({"array": "nothing"}, SpecificationError, "array must be one of"),
        ({"sources": 8}, EstimatorError, r"1\.\.7"),
        ({"sources": 0}, EstimatorError, r"1\.\.7"),
        ({"sources": "two"}, EstimatorError, "'auto' or a number"),
        ({"noise_power": 0.0}, EstimatorError, "noise_power"),
        ({"queue_size": 0}, EstimatorError, "queue_size"),
        ({"threads": 0}, EstimatorError, "threads"),
        ({"drain_timeout": -1.0}, EstimatorError, "drain_timeout"),
        ({"on_error": "panic"}, EstimatorError, "on_error"),
        ({"device": "abacus"}, EstimatorError, "torch device"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        doa_estimator(**({"array": "ula8", "method": "music"} | arguments))


RING = """
name = "ring"
%s
[geometry]
kind = "uca"
elements = 5
radius_m = 0.25
[sector]
azimuth_deg = [0.0, 360.0]
min_separation_deg = 40.0
[coupling]
family = "circulant"
magnitude = [[0.0, 0.1], [0.0, 0.1]]
"""


def ring_scene(frequency_hz, azimuth_deg=40.0):
    """A signal from 40 degrees on a circle of a quarter of a metre, written out here once more."""
    rng, place = np.random.default_rng(1), 2 * np.pi * np.arange(5) / 5
    response = np.exp(2j * np.pi * 0.25 * frequency_hz / 299_792_458.0 * np.cos(np.radians(azimuth_deg) - place))
    signal, noise = (rng.standard_normal((n, 512)).astype(complex).view(complex) for n in (1, 5))
    return response[:, None] * (signal[0] + 1j * rng.standard_normal(512)) + 0.05 * (noise + 1j * noise[::-1])


@pytest.mark.parametrize("own", ["", "frequency_hz = 433e6"])
def test_an_array_in_metres_follows_the_frequency_of_the_batches(tmp_path, own):
    (tmp_path / "ring.toml").write_text(RING % own)
    tuned = [434e6, 868e6, 434e6]
    messages = [batch_message(ring_scene(f), k, frequency_hz=f) for k, f in enumerate(tuned)]
    arguments = {"array": str(tmp_path / "ring.toml"), "sources": 1, "queue_size": 5}
    estimates, statuses, _ = estimates_of(messages, **arguments)
    assert counters(statuses)["estimated"] == 3 and "warning" not in statuses[-1]
    for message in estimates:
        validate(message)
        assert message["sources"][0]["azimuth_deg"] == pytest.approx(40.0, abs=1.0)
    untold, statuses, _ = estimates_of([batch_message(ring_scene(433e6))], **arguments)
    assert len(untold) == bool(own) and counters(statuses)["failed"] == (not own)
    assert own or "found no frequency" in statuses[-1]["last_error"]


def test_an_array_in_wavelengths_tells_of_another_frequency():
    messages = [batch_message(scene((10.0, 40.0), 300), k, frequency_hz=f) for k, f in enumerate((200e6, 300e6))]
    estimates, statuses, _ = estimates_of(messages, array="ula8@200e6", queue_size=5)
    assert len(estimates) == 2 and counters(statuses)["failed"] == 0
    assert "holds at 200 MHz" in statuses[-1]["warning"] and statuses[-1]["last_error"] == statuses[-1]["warning"]
    assert all(s["state"] in ("running", "stopped") for s in statuses)
    _, statuses, _ = estimates_of(messages[:1], array="ula8@200e6")
    assert "warning" not in statuses[-1] and statuses[-1]["last_error"] is None
