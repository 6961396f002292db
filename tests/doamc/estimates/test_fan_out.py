"""Several outputs as one: a failing one is counted and told, and starves nobody."""

import pytest

from doamc.errors import PublishError, RecordingError
from doamc.estimates.fan_out import Outputs


class Kept:
    """Keeps what it gets; fails at the sequence numbers it is told, and when closed if asked to."""

    def __init__(self, fails_at=(), closing=None):
        self.got, self._fails_at, self._closing, self.closed = [], fails_at, closing, 0

    def write(self, message):
        if message["seq"] in self._fails_at:
            raise RecordingError("disk full")
        self.got.append(message["seq"])

    def close(self):
        self.closed += 1
        if self._closing is not None:
            raise self._closing


def given(n, **outputs):
    told = []
    with Outputs(outputs, told.append) as several:
        for k in range(n):
            several.write({"seq": k})
    return several, told


def test_the_others_get_everything_and_the_failing_one_is_tried_again():
    bad, good = Kept(fails_at=range(3, 7)), Kept()
    several, told = given(10, bad=bad, good=good)
    assert good.got == list(range(10)) and bad.got == [0, 1, 2, 7, 8, 9]
    assert told == ["bad: disk full; the other outputs go on"]  # once, not four times
    assert (several.taken, several.lost) == (10, {"bad": 4})
    with pytest.raises(PublishError, match=r"bad without 4 of 10 estimates \(disk full\)"):
        several.check()


def test_a_bug_of_one_output_is_no_matter_for_the_others():
    good = Kept()
    several, told = given(2, odd=Kept(closing=ZeroDivisionError("a bug")), good=good)
    assert good.got == [0, 1] and good.closed == 1 and told == ["odd: a bug; the other outputs go on"]
    with pytest.raises(PublishError, match="odd unfinished"):
        several.check()


def test_all_that_failed_are_named_and_closed_once():
    first, second = Kept(fails_at=[0]), Kept(closing=RecordingError("no"))
    several, told = given(1, first=first, second=second)
    several.close()
    assert len(told) == 2 and (first.closed, second.closed) == (1, 1)
    with pytest.raises(PublishError, match="first without 1 of 1 estimates, second unfinished"):
        several.check()


def test_nothing_is_said_when_nothing_is_lost():
    several, told = given(3, one=Kept())
    several.check()
    assert told == []
