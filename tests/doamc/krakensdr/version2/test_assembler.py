"""Bytes into complex samples, and packets into frames."""

import numpy as np
import pytest

from doamc.krakensdr.link import Halt
from doamc.krakensdr.pool import Pool
from doamc.krakensdr.version2.assembler import Assembler, to_bytes, to_complex
from doamc.krakensdr.version2.packet import parse
from doamc.krakensdr.version2.runs import Run
from doamc.krakensdr.version2.scanner import Scanner
from tests.doamc.krakensdr.version2.serving import LENGTH, numbers_of, packet


def test_every_channel_loses_its_mean_and_full_scale_becomes_one():
    rng = np.random.default_rng(1)
    raw = rng.integers(0, 256, (5, 2 * 4096), dtype=np.uint8)
    out = np.empty((5, 4096), np.complex64)
    to_complex(raw, out)
    exact = raw[:, ::2] + 1j * raw[:, 1::2].astype(np.float64)
    exact = (exact - exact.mean(1, keepdims=True)) / 127.5
    assert np.abs(out - exact).max() < 1e-6
    assert np.abs(out.mean(1)).max() < 1e-7


@pytest.mark.parametrize(("length", "low", "high"), [(16384, 90, 166), (4001, 0, 256), (1, 0, 256), (3, 250, 256)])
def test_the_bytes_of_a_packet_give_the_same_samples_again(length, low, high):
    raw = np.random.default_rng(length).integers(low, high, (5, 2 * length), dtype=np.uint8)
    raw[2] = 255  # a converter that is stuck
    out, again = np.empty((2, 5, length), np.complex64)
    to_complex(raw, out)
    found = to_bytes(out)
    steps = (found.astype(int) - raw).reshape(5, length, 2)
    assert (steps == steps[:, :1]).all()  # but for whole steps of a channel's mean
    to_complex(found, again)
    assert np.array_equal(out, again)


def assembled(*actions):
    """Frames made of packets (dicts of their fields), and of other calls of an assembler."""
    pool, halt, scanner = Pool(), Halt(), Scanner()
    assembler, sample = Assembler(pool, halt, 1e5, lambda n: 1000.0 + n / 1e5), 0
    for action in actions:
        if callable(action):
            action(assembler)
            continue
        stream = packet(**action)
        scanner.room()[: len(stream)] = stream
        scanner.filled(len(stream))
        (found,) = scanner.packets(silent=True)
        assert assembler.add(found, sample, 0.0)
        sample += found.header.n_samples
    assembler.flush()
    frames = []
    while (frame := pool.get(0.0, halt)) is not None:
        frames.append(frame)
    return frames


def test_packets_that_follow_each_other_become_one_frame():
    (frame,) = assembled(*({"number": k} for k in range(5)))
    assert numbers_of(frame.samples) == list(range(5))
    assert (frame.time_s, frame.frequency_hz, frame.sample_rate_hz) == (1000.0, 433.9e6, 1e5)
    assert frame.gains_db == (20.7,) * 3 and frame.sync_state == 4 and frame.overdriven is frame.number is None
    assert frame.first and frame.gap and frame.lost == 0 and frame.kept_back == {}


def test_a_frequency_is_the_decimal_that_was_meant():
    (frame,) = assembled({"frequency_hz": 868.3e6})
    assert frame.frequency_hz == 868.3e6  # float32 has 868300032


@pytest.mark.parametrize("other", [{"frequency_hz": 868e6}, {"gain_db": 1.4}, {"channels": 4}, {"length": LENGTH + 1}])
def test_another_setting_begins_another_frame(other):
    first, second = assembled({"number": 1}, {"number": 2} | other)
    length = other.get("length", LENGTH)
    assert first.samples.shape == (3, LENGTH) and second.samples.shape[1] == second.packet_samples == length
    assert not second.gap and second.time_s == 1000.0 + LENGTH / 1e5


def left_out(reason, retuned=False, lost=False, **fields):
    """A packet that was kept back."""
    return lambda a: a.leave_out(reason, parse(bytearray(packet(**fields)), 0), retuned, lost)


def test_what_was_left_out_is_told_once_by_the_frame_after_it():
    frames = assembled(
        {"number": 1}, left_out("settling", changes=2), left_out("noise_source", noise=1), left_out("settling", True),
        left_out("settling"), left_out("not_taken", lost=True), lambda a: a.missing(3),
        {"number": 2}, {"number": 3}, lambda a: a.flush(), {"number": 4},
    )  # fmt: skip
    told = [(numbers_of(f.samples), f.gap, f.first, f.lost, dict(f.kept_back)) for f in frames]
    assert told == [
        ([1], True, True, 0, {}),
        ([2, 3], True, False, 4, {"settling": 3, "noise_source": 1, "not_taken": 1}),
        ([4], False, False, 0, {}),
    ]
    runs = [Run.parse(run) for run in frames[1].between]
    assert [(r.reason, r.packets, r.retuned) for r in runs] == [
        ("settling", 1, False), ("noise_source", 1, False), ("settling", 2, True), ("not_taken", 1, False),
        ("lost", 3, False),
    ]  # fmt: skip
    told = frames[1].between[1]
    assert told["noise_source"] and told["gains_db"] == [20.7] * 3 and told["frequency_hz"] == 433.9e6
    assert runs[1].header.n_samples == LENGTH and frames[2].between == ()


def test_runs_beyond_a_hundred_are_left_out_the_oldest_first():
    (frame,) = assembled(*(left_out("settling", True, gain_db=k) for k in range(150)), {"number": 1})
    assert frame.kept_back == {"settling": 150}
    assert [run["gains_db"][0] for run in frame.between] == list(range(50, 150))


def test_a_frame_holds_at_most_65536_samples():
    first, second = assembled({"length": 40_000}, {"length": 40_000})
    assert first.samples.shape[1] == second.samples.shape[1] == 40_000 and not second.gap


def test_memory_that_nobody_gives_back_is_bounded():
    pool, scanner = Pool(), Scanner()
    assembler = Assembler(pool, Halt(), 1e5, float)
    stream, taken = packet(channels=5), 0
    for _ in range(100):
        scanner.room()[: len(stream)] = stream
        scanner.filled(len(stream))
        taken += assembler.add(next(iter(scanner.packets(silent=True))), 0, 0.0)
        assembler.flush()
    assert taken == 2**26 // (8 * 5 * 65536)
