"""What a stream without numbers and times has lost, by the count of its samples against a clock.

A packet comes later than it was received by a delay that is never below zero and, within a second or so, comes close
to the least there is. So the least lateness of each window tells where the stream stands: it rises for good when
samples are lost, and comes down again when they were only late. What rises slowly may be the difference of two clocks,
which is followed and cannot be told from a loss.
"""

import math

#: s over which the least lateness is taken; and how many windows must be late before samples count as lost
_WINDOW_S, _WINDOWS = 1.0, 2
#: what clocks may differ by, and the least step that is taken for a loss, s
_DRIFT, _LEAST_S = 1e-4, 0.05
#: weight of the newest step in the mean of their sizes; a loss exceeds so many times that mean
_WEIGHT, _STEPS = 0.2, 4.0


class StreamClock:
    """Counts samples against a clock, on one connection.

    rate_hz: samples a second. Losses that are shorter than 50 ms, or slower than 100 ppm, are not seen.
    Attributes: samples (that came), lost_s (estimate, s), uncertainty_s (by which that may be off), found_s (the part
    of it that comes of the losses that were found).
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self.samples = 0
        self.lost_s = 0.0
        self._level: float | None = None  # clock less signal time, at least delay
        self._least = math.inf  # of this window
        self._begin = self._window = 0.0
        self._step_s = _LEAST_S / _STEPS  # mean size of the steps between windows
        self._late: list[float] = []  # windows in a row that were later than steps explain
        self.found_s = 0.0
        self._elapsed_s = 0.0

    @property
    def uncertainty_s(self) -> float:
        """By how much the estimate may be off, s: delays that change, and clocks that differ."""
        return self.found_s + self._allowed_s + _DRIFT * self._elapsed_s

    def see(self, now: float, count: int) -> float:
        """Take in so many samples that came at a time, s; s of samples that were found to be lost just now."""
        if not self.samples:
            self._begin = self._window = now
        self.samples += count
        self._elapsed_s = now - self._begin
        self._least = min(self._least, now - self.samples / self._rate_hz)
        if now < self._window + _WINDOW_S:
            return 0.0
        least, self._least, passed_s, self._window = self._least, math.inf, now - self._window, now
        return self._close(least, passed_s)

    def time_of(self, sample: int) -> float:
        """The clock's time at which a sample, counted from the first that came, was received, s."""
        level = self._least if self._level is None else self._level
        return level + sample / self._rate_hz

    @property
    def _allowed_s(self) -> float:
        return max(_LEAST_S, _STEPS * self._step_s)

    def _close(self, least: float, passed_s: float) -> float:
        """The end of a window."""
        if self._level is None:
            self._level = least
            return 0.0
        step = least - self._level
        if step > self._allowed_s:
            self._late.append(least)
            return self._lose() if len(self._late) >= _WINDOWS else 0.0
        self._late.clear()
        if step < -self._allowed_s:  # what seemed to be lost was late, or the first window was
            self.lost_s = max(0.0, self.lost_s + step)
            self._level = least
        else:
            drift = _DRIFT * passed_s
            self._level += max(-drift, min(drift, step))
            self._step_s += _WEIGHT * (abs(step) - self._step_s)
        return 0.0

    def _lose(self) -> float:
        assert self._level is not None
        lost_s = min(self._late) - self._level
        self._level += lost_s
        self.lost_s += lost_s
        self.found_s += self._allowed_s
        self._late.clear()
        return lost_s
