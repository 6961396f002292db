"""A stretch of a capture, as a capture of its own."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError
from doamc.snapshots.segments import Capture, Segment


class Section(Capture):
    """Samples start <= k < stop of a capture; times are those of the whole one."""

    def __init__(self, whole: Capture, start: int, stop: int) -> None:
        super().__init__()
        self._whole, self._start = whole, start
        self.path, self.n_channels, self.n_samples = whole.path, whole.n_channels, stop - start
        self.sample_rate_hz, self.array, self.remarks = whole.sample_rate_hz, whole.array, whole.remarks
        self.segments = [_within(s, start, stop, self.sample_rate_hz) for s in whole.segments
                         if s.start < stop and s.stop > start]  # fmt: skip

    def read(self, start: int, count: int) -> NDArray[np.complex64]:
        """Samples start to start + count of all channels, (N, count). Raises RecordingError beyond the end."""
        if start + count > self.n_samples:
            raise RecordingError(f"{self.path}: expected samples within 0..{self.n_samples}, found {start + count}")
        return self._whole.read(self._start + start, count)

    @property
    def positions_m(self) -> NDArray[np.float64] | None:
        """Those of the whole capture."""
        return self._whole.positions_m


def _within(s: Segment, start: int, stop: int, rate_hz: float | None) -> Segment:
    """What a segment has of samples start <= k < stop, which are counted from there."""
    first, last = max(s.start, start), min(s.stop, stop)
    later_s = 0.0 if rate_hz is None else (first - s.start) / rate_hz
    return replace(
        s, start=first - start, stop=last - start, begins_s=None if s.begins_s is None else s.begins_s + later_s,
        time=None if s.time is None else s.time + later_s,
    )  # fmt: skip
