"""``doamc publish`` and ``doamc monitor`` over real sockets, as programs of their own."""

import json
import signal
import time

import numpy as np
import pytest
import torch

from doamc.estimates import Publisher, Subscriber, make_message, read_records, validate
from doamc.scenes import draw_scene, receive
from doamc.spec import load_spec
from tests.doamc.cli.conftest import repeating

FREE = "tcp://127.0.0.1:*"


@pytest.fixture
def recorded(tmp_path):
    """Six batches of ula4 with one source; the fourth has a dead channel."""
    spec, generator = load_spec("ula4"), torch.Generator().manual_seed(1)
    scene = draw_scene(spec, 6, 1, 15.0, generator)
    y = receive(scene, 64, generator=generator).snapshots.numpy()
    y[3, 2] = 0
    np.savez(tmp_path / "in.npz", snapshots=y)
    return tmp_path / "in.npz", scene.azimuth.rad2deg().numpy()


def test_publish_sends_every_estimate_at_its_pace(program, recorded, tmp_path):
    path, truth = recorded
    address = f"ipc://{tmp_path}/live"  # where a subscriber may be before the publisher is
    estimates, states, arrived = [], [], []
    with Subscriber(address, timeout_s=60) as subscriber:
        process = program("publish", path, "--array", "ula4", "--method", "ml", "--sources", 1, "--address", address,
                          "--rate", 5, "--wait", 2)  # fmt: skip
        assert process.stdout.readline().split()[-1] == address
        for topic, message in subscriber:
            validate(message)
            if topic == "doamc.estimate":
                estimates.append(message)
                arrived.append(time.monotonic())
            else:
                states.append(message)
                if message["state"] == "stopped":
                    break
        assert subscriber.lost == 0 and subscriber.malformed == 0
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == "" and "5 estimates, 1 batches failed" in out
    assert [m["seq"] for m in estimates] == [0, 1, 2, 3, 4]  # the dead batch has no number
    assert [m["sample_time"] for m in estimates] == [None] * 5  # the rate is a pace, and these batches no stream
    for message, azimuth in zip(estimates, np.delete(truth, 3, 0), strict=True):
        assert message["n_sources"] == 1 and message["sources"][0]["azimuth_deg"] == pytest.approx(azimuth[0], abs=4)
        assert (message["array"], message["method"], message["snapshots"]) == ("ula4", "ml", 64)
        latency = message["latency_ms"]
        assert latency["total"] == pytest.approx(latency["buffer"] + latency["inference"]) and latency["inference"] > 0
    assert arrived[-1] - arrived[0] > 0.35  # paced: a second, less what the first was late
    errors = [m for m in states if m["state"] == "error"]
    assert errors and "channel 2 is dead (all zeros) in batch 3" in errors[0]["last_error"]
    assert states[-1]["counters"] == {"made": 5, "failed": 1} and states[-1]["seq"] == 4


def test_publish_fails_when_no_batch_can_be_used(refused_live, tmp_path):
    np.savez(tmp_path / "in.npz", snapshots=np.zeros((2, 4, 8), complex))
    line = refused_live("publish", tmp_path / "in.npz", "--array", "ula4", "--method", "music", "--address", FREE,
                        "--rate", 100, "--wait", 0)  # fmt: skip
    assert "all samples are zero in batch 1" in line


@pytest.fixture
def refused_live(doamc):
    """Exit status 2 and one line on stderr, whatever went to stdout before."""

    def run(*arguments):
        status, _, err = doamc(*arguments)
        assert status == 2 and err.startswith("doamc: error: ") and err.count("\n") == 1
        return err

    return run


def test_publish_on_an_address_in_use_is_refused(refused, recorded):
    with Publisher(FREE) as publisher:
        line = refused("publish", recorded[0], "--array", "ula4", "--method", "music", "--address", publisher.address)
        assert "in use" in line and publisher.address in line
    assert "expected" in refused("publish", recorded[0], "--array", "ula4", "--method", "music", "--address", "here")


def test_publish_goes_on_when_its_subscriber_is_killed(program, recorded, tmp_path):
    path, _ = recorded
    process = program("publish", path, "--array", "ula4", "--method", "music", "--sources", 1, "--address", FREE,
                      "--rate", 50, "--wait", 1, "--loop")  # fmt: skip
    address = process.stdout.readline().split()[-1]
    victim = program("monitor", address, "--json", "--timeout", 60)
    assert json.loads(victim.stdout.readline())["schema"] == "doamc.estimate/1"
    victim.kill()
    victim.wait(10)
    with Subscriber(address, timeout_s=60, topics=("doamc.estimate",)) as subscriber:
        seqs = [message["seq"] for _, (_, message) in zip(range(20), subscriber, strict=False)]
    assert seqs == list(range(seqs[0], seqs[0] + 20)) and process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


@pytest.fixture
def sending():
    """A publisher that repeats numbered estimates until the test ends."""

    def estimate(seq):
        return make_message(
            seq=seq, time=time.time(), sample_time=None, frequency_hz=None, array="ula4", method="music",
            azimuth_deg=[-12.34, 45.6], std_deg=[0.25, float("nan")], power_db=[0.0, -3.0], noise_power=0.1,
            coupling=None, snapshots=64, latency_ms={"buffer": 0.0, "inference": 1.0, "total": 1.0}, dropped_batches=7,
        )  # fmt: skip

    with Publisher(FREE, heartbeat_s=0.05) as publisher, repeating(publisher, estimate) as address:
        yield address


def test_monitor_prints_json_lines_and_records_them(doamc, sending, tmp_path):
    log = tmp_path / "log.jsonl"
    status, out, err = doamc("monitor", sending, "--json", "--count", 3, "--timeout", 60, "--record", log)
    assert (status, err) == (0, "")
    messages = [json.loads(line) for line in out.splitlines()]
    first = messages[0]["seq"]
    assert [m["seq"] for m in messages] == [first, first + 1, first + 2]
    for message in messages:
        validate(message)
    assert list(read_records(log)) == messages


def test_interrupted_monitor_ends_with_130(program, sending):
    process = program("monitor", sending, "--json")
    assert json.loads(process.stdout.readline())["array"] == "ula4"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err == ""


def test_monitor_shows_a_table(doamc, sending):
    status, out, err = doamc("monitor", sending, "--once", "--timeout", 60)
    assert (status, err) == (0, "")
    assert "-12.34" in out and "+45.60" in out and "0.25" in out and "-3.0" in out and "dropped 7" in out
    assert out.count("ula4, music, estimate") == 1


def test_monitor_without_a_publisher_times_out(refused):
    assert "is it publishing?" in refused("monitor", "tcp://127.0.0.1:9", "--once", "--timeout", "0.2")
    assert "expected an address" in refused("monitor", "nowhere", "--once")


def test_monitor_is_not_kept_waiting_by_heartbeats(refused):
    with Publisher(FREE, heartbeat_s=0.02) as publisher:
        assert "found none within 0.3 s" in refused("monitor", publisher.address, "--once", "--timeout", "0.3")
