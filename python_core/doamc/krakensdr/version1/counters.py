"""What became of the frames of a heimdall server: every one is either passed on or counted under its cause."""

from dataclasses import dataclass

from doamc.krakensdr.session import LinkCounters
from doamc.krakensdr.version1.frame import DATA, Header

_WRAP = 1 << 32
#: how far the time stamps of one run may stray from its numbers: s, and of the time in between
_JITTER_S, _JITTER = 0.1, 0.05


@dataclass
class Counters(LinkCounters):
    """Counts since the client was made.

    frames: complete frames that came, good or not, each number once. passed: handed on as samples. not_data,
    not_synchronised, wrong_channels, wrong_samples: complete frames kept back, by the first reason that applies (kind
    of frame; sync flags; number of channels; sample format, no rate or no samples). duplicates: frames that came again.
    lost: frames that never came whole: gaps in cpi_index, and those below. broken: cut short or stalled within.
    malformed: no header where one was due; their numbers are not known, so they show in the next gap.
    overdriven: frames passed on although a converter was overdriven. restarts: the server's numbering began anew.
    """

    frames: int = 0
    passed: int = 0
    not_data: int = 0
    not_synchronised: int = 0
    wrong_channels: int = 0
    wrong_samples: int = 0
    duplicates: int = 0
    lost: int = 0
    broken: int = 0
    malformed: int = 0
    overdriven: int = 0
    restarts: int = 0

    @property
    def kept_back(self) -> int:
        """Complete frames that were not passed on: frames = passed + kept_back."""
        return self.not_data + self.not_synchronised + self.wrong_channels + self.wrong_samples


class Numbering:
    """Follows cpi_index: tells duplicates, gaps and restarts apart and counts what is missing."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._last: tuple[int, int] | None = None  # cpi_index and time_stamp
        self._last_broken = False
        self._unnumbered = 0  # malformed frames since the last header
        self._before_absence = 0  # those of them that came before the server was away
        self._was_absent = False  # since the last header
        self._fresh = True  # no header came on this connection

    def connected(self) -> None:
        """A connection was made."""
        self._fresh = True

    def malformed(self) -> None:
        """Something came that is no header."""
        self._counters.malformed += 1
        self._unnumbered += 1

    def broken(self) -> None:
        """The frame whose header was seen last did not come whole."""
        self._counters.broken += 1
        self._counters.lost += 1
        self._last_broken = True

    def absent(self) -> None:
        """The server does not take connections: if it begins anew, what was malformed so far came before that."""
        self._before_absence += self._unnumbered
        self._unnumbered = 0
        self._was_absent = True

    def see(self, header: Header) -> tuple[bool, int, bool]:
        """Take in a header: (it repeats the last frame, frames missing before it, the numbering began anew).

        A number that steps back is of another run of the server. Once the server was absent, so is the same number,
        and a higher one whose time stamp does not agree with the frames in between. Within a connection, frames
        without data may have numbers that lead nowhere; they are passed over.
        """
        number = header.cpi_index, header.time_stamp
        away, self._was_absent = self._was_absent, False
        fresh, self._fresh = self._fresh, False
        if number == self._last and not away:
            if not self._last_broken:
                return True, 0, False
            self._counters.lost -= 1  # sent again after it was cut short
            self._last_broken = False
            return False, 0, False
        anew, missing = False, 0
        if self._last is not None:
            step = (number[0] - self._last[0]) % _WRAP
            if header.frame_type != DATA and not fresh and not 0 < step < _WRAP // 2:
                return False, 0, False
            # a step back, or the same number at another time: the server began anew, and counts from 0
            anew = not 0 < step < _WRAP // 2 or (away and not self._agrees(step, header))
            if anew:
                missing = self._before_absence + max(number[0], self._unnumbered)
            else:
                missing = max(step - 1, self._before_absence + self._unnumbered)
        self._last, self._last_broken = number, False
        self._unnumbered = self._before_absence = 0
        self._counters.lost += missing
        self._counters.restarts += anew
        return False, missing, anew

    def _agrees(self, step: int, header: Header) -> bool:
        assert self._last is not None
        passed_s = (header.time_stamp - self._last[1]) / 1e3
        known = passed_s and header.duration_s
        return not known or abs(passed_s - step * header.duration_s) < _JITTER_S + _JITTER * abs(passed_s)
