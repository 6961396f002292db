"""What is missing of numbered messages."""

from doamc.estimates.gaps import Gaps


def test_gaps_are_counted_and_a_new_beginning_is_told():
    gaps = Gaps()
    for seq in (5, 6, 9, 10, 0, 1, 4):
        gaps.take(seq)
    assert (gaps.received, gaps.lost, gaps.restarts) == (7, 2 + 2, 1)
