"""Which packets pass: the first reason that applies, and settling after each kind of change."""

import pytest

from doamc.krakensdr.version2.gate import REASONS, Gate
from doamc.krakensdr.version2.packet import parse
from tests.doamc.krakensdr.version2.serving import CHANNELS, packet


def header(**options):
    return parse(bytearray(packet(**options)), 0)


@pytest.mark.parametrize(
    ("told", "reason", "words"),
    [
        ({}, None, ""),
        ({"channels": 4}, "wrong_channels", "expected 3 channels, found 4"),
        ({"phase": 0x404}, "wideband", "wideband scan"),
        ({"phase": 0x804}, "independent", "independent channels"),
        ({"noise": 1}, "noise_source", "noise"),
        ({"retuning": 1}, "retuning", "retuning"),
        *[({"phase": k}, "not_converged", "expected a converged") for k in (0, 1, 2, 3, 5, 6, 7, 255)],
        ({"phase": 0x104}, None, ""),  # bits that nobody has told us of
        ({"channels": 4, "phase": 0xC05, "noise": 1, "retuning": 1}, "wrong_channels", ""),
        ({"phase": 0xC05, "noise": 1, "retuning": 1}, "wideband", ""),
    ],
)
def test_the_first_reason_that_applies_is_told(told, reason, words):
    gate = Gate(CHANNELS, 4.0)
    assert gate.judge(header(**told), 0.0) == reason and words in gate.why
    assert reason is None or reason in REASONS


@pytest.mark.parametrize("change", [{"frequency_hz": 868e6}, {"changes": 1}, {"changes": 2**32 - 1}])
def test_nothing_passes_for_the_settling_time_after_a_change(change):
    gate = Gate(CHANNELS, 4.0)
    assert gate.judge(header(), 0.0) is None
    assert [gate.judge(header(**change), t) for t in (1.0, 4.9, 5.0, 6.0)] == ["settling", "settling", None, None]
    assert gate.changes == 1
    assert gate.judge(header(), 7.0) == "settling"  # back again


def test_a_retuning_settles_from_its_end():
    gate = Gate(CHANNELS, 4.0)
    states = [(0, 0.0), (1, 1.0), (1, 3.0), (0, 3.5), (0, 7.4), (0, 7.5)]
    found = [gate.judge(header(retuning=r), t) for r, t in states]
    assert found == [None, "retuning", "retuning", "settling", "settling", None]


def test_changes_are_seen_while_packets_are_kept_back_for_other_reasons():
    gate = Gate(CHANNELS, 4.0)
    gate.judge(header(), 0.0)
    assert gate.judge(header(changes=1, phase=5), 1.0) == "not_converged"
    assert gate.judge(header(changes=1), 4.0) == "settling" and "1.0 s to go" in gate.why
    assert gate.judge(header(changes=1), 5.0) is None


def test_less_than_a_hertz_is_no_change_and_the_first_packet_is_none_either():
    gate = Gate(None, 4.0)
    assert gate.judge(header(frequency_hz=24e6, changes=7), 0.0) is None
    assert gate.judge(header(frequency_hz=24e6 + 0.0, changes=7, gain_db=3.0, group=2, channels=5), 0.1) is None
    assert gate.judge(header(frequency_hz=24e6 + 2.0, changes=7), 0.2) == "settling"
