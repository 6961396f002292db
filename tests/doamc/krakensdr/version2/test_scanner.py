"""Packets out of bytes: whole ones, whatever lies between them, in pieces of any size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.krakensdr.version2.packet import MAGIC
from doamc.krakensdr.version2.scanner import Scanner
from tests.doamc.krakensdr.version2.serving import packet, samples_of


def scanned(stream, sizes=(1 << 20,), silent=True):
    """Numbers of the packets (by their counter) of a stream that comes in pieces, and the scanner."""
    scanner, found, done = Scanner(), [], 0
    turn = 0
    while done < len(stream):
        room = scanner.room()
        count = min(sizes[turn % len(sizes)], len(room), len(stream) - done)
        room[:count] = stream[done : done + count]
        scanner.filled(count)
        done, turn = done + count, turn + 1
        found += taken(scanner, done == len(stream) and silent)
        assert sum(size for _, size in found) + scanner.passed_over + scanner.pending == done
    return [number for number, _ in found], scanner


def taken(scanner, silent):
    found = []
    for each in scanner.packets(silent):
        number = each.header.changes
        raw = samples_of(number, each.header.n_channels, each.header.n_samples)
        assert np.array_equal(each.samples, raw.reshape(len(raw), -1))
        found.append((number, each.header.size))
    return found


def good(*numbers, **options):
    return b"".join(packet(n, changes=n, **options) for n in numbers)


@pytest.mark.parametrize("sizes", [(1 << 20,), (1,), (7, 300), (33,)])
def test_packets_follow_each_other_in_pieces_of_any_size(sizes):
    numbers, scanner = scanned(good(*range(12)), sizes)
    assert numbers == list(range(12)) and scanner.passed_over == scanner.losses == scanner.pending == 0


def test_the_last_packet_waits_for_what_follows_it_or_a_silence():
    numbers, scanner = scanned(good(1, 2), silent=False)
    assert numbers == [1]
    assert taken(scanner, True) == [(2, scanner.passed_over + len(good(2)))]


@pytest.mark.parametrize(
    ("stream", "numbers", "passed_over"),
    [
        (b"\0" * 999 + good(1, 2), [1, 2], 999),
        (MAGIC[:3] * 5 + good(1, 2), [1, 2], 15),
        (MAGIC * 5 + good(1, 2), [1, 2], 20),
        # what garbage follows may be cut short: nobody can tell, so it does not pass
        (good(1, 2) + b"\xff" * 50 + good(3, 4), [1, 3, 4], len(good(2)) + 50),
        # cut short: the next one lies within the bytes that it claims, and is found
        (good(1) + good(2)[:200] + good(3, 4), [1, 3, 4], 200),
        (good(1) + good(2)[:20] + good(3, 4), [1, 3, 4], 20),
        (good(1) + good(2)[:-1] + good(3, 4), [1, 3, 4], len(good(2)) - 1),
        (good(1) + b"x" + good(2, 3), [2, 3], len(good(1)) + 1),
        # a header that claims more than comes
        (good(1)[:8] + b"\0\1\0\0" + good(1)[12:] + good(2, 3), [], 0),
    ],
)
@pytest.mark.parametrize("sizes", [(1 << 20,), (3,)])
def test_a_lost_place_is_found_again_and_every_byte_is_accounted_for(stream, numbers, passed_over, sizes):
    found, scanner = scanned(stream, sizes)
    assert (found, scanner.passed_over) == (numbers, passed_over)
    assert scanner.losses == bool(passed_over)


def test_a_header_that_claims_more_than_comes_costs_what_it_claims_and_no_more():
    false = packet(length=60000)[:200]  # 360056 bytes
    stream = false + good(*range(100)) * 20
    found, scanner = scanned(stream)
    assert len(found) == 2000 and scanner.passed_over == 200


def test_the_longest_packets_fit():
    stream = good(1, 2, 3, 4, channels=5, length=65536)
    numbers, scanner = scanned(stream, (100_000,))
    assert numbers == [1, 2, 3, 4] and scanner.passed_over == 0


def test_samples_that_hold_the_magic_are_samples():
    raw = np.frombuffer((MAGIC * 60)[: 3 * 40 * 2], np.uint8).reshape(3, 40, 2)
    scanner = Scanner()
    stream = packet(samples=raw) * 3
    scanner.room()[: len(stream)] = stream
    scanner.filled(len(stream))
    assert len(list(scanner.packets(silent=True))) == 3 and scanner.passed_over == 0


parts = st.one_of(
    st.integers(0, 90).map(good), st.binary(max_size=400), st.just(MAGIC),
    st.tuples(st.integers(0, 90), st.integers(0, 295)).map(lambda nk: good(nk[0])[: nk[1]]),
    st.integers(0, 90).map(lambda n: packet(n, length=n + 1, changes=n)),
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(parts, max_size=12), st.lists(st.integers(1, 700), min_size=1, max_size=5))
def test_any_bytes_are_accounted_for_in_pieces_of_any_size(stream, sizes):
    stream = b"".join(stream)
    at_once, scanner = scanned_any(stream, (1 << 20,))
    in_pieces, other = scanned_any(stream, tuple(sizes))
    assert at_once == in_pieces
    assert scanner.passed_over == other.passed_over and scanner.pending == other.pending


def scanned_any(stream, sizes):
    scanner, found, done, turn = Scanner(), [], 0, 0
    while done < len(stream):
        room = scanner.room()
        count = min(sizes[turn % len(sizes)], len(stream) - done)
        room[:count] = stream[done : done + count]
        scanner.filled(count)
        done, turn = done + count, turn + 1
        found += [bytes(p.samples) for p in scanner.packets()]
    found += [bytes(p.samples) for p in scanner.packets(silent=True)]
    return found, scanner
