"""A recording sent once more, frame by frame, of either version: the same samples, and what lay between them.

Frames that were kept back come as such without the samples that nobody kept, those of the noise source as calibration;
frames that were lost are missing in the numbers. Where the connection was new it is closed, and a client that comes
back finds the next frame.
"""

import math
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from doamc.errors import ReceiverError, RecordingError
from doamc.krakensdr.replay import Stretch, stretches
from doamc.krakensdr.sources import check_frames
from doamc.krakensdr.version1.frame import CALIBRATION, DUMMY, MAX_CHANNELS, TRACKING
from doamc.krakensdr.version1.line import Numbered, header_of
from doamc.snapshots.sigmf_files import Recording

#: frames of these reasons have another header than the usual one; others are not synchronised
_HEADERS: dict[str, dict[str, int]] = {
    "noise_source": {"frame_type": CALIBRATION, "noise_source_state": 1, "iq_sync_flag": 0, "sync_state": 4},
    "not_data": {"frame_type": DUMMY, "sync_state": 1}, "wrong_samples": {},
    "other_channels": {"active_ant_chs": 1}, "wrong_channels": {"active_ant_chs": 1},
}  # fmt: skip
_LOST, _UNSYNCHRONISED = "lost", {"delay_sync_flag": 0, "iq_sync_flag": 0, "sync_state": 1}


class Replay:
    """The frames of a recording by ``doamc record``, again and again; stands in for `Line`.

    length: samples of a frame, at most; a stretch of the recording ends with a shorter one.
    Attributes: those of `Frames`, and cpi_length.
    Raises RecordingError when it is no such recording, ReceiverError when frames cannot hold it.
    """

    def __init__(self, recording: Recording, length: int) -> None:
        self._recording, self._stretches = recording, stretches(recording)
        if not self._stretches or not recording.sample_rate_hz:
            raise RecordingError(f"{recording.path}: expected a recording by doamc record, found another")
        self._rate_hz = recording.sample_rate_hz
        self.n_channels, self.cpi_length = recording.n_channels, min(length, recording.n_samples)
        self.frequency_hz = self._stretches[0].frequency_hz or 0.0
        for stretch in self._stretches:
            check_frames(self.n_channels, self.cpi_length, self._rate_hz, stretch.frequency_hz or 1.0)
            if any(not 0 <= g < 1e6 for g in stretch.gains_db if math.isfinite(g)) or self.n_channels > MAX_CHANNELS:
                raise ReceiverError(f"{recording.path}: expected gains of 0 dB and more, found {stretch.gains_db}")
        self.produced = self.skipped = 0
        self._number, self._played_s = 0, 0.0
        self._next = self._endless()
        self.start(False, threading.Event())

    def start(self, paced: bool, end: threading.Event) -> None:
        """paced: at the sample rate. end: of the server."""
        self._paced, self._end, self._begin = paced, end, time.time()

    def next(self) -> Numbered | None:
        """The next frame, once it is due; None where the connection is to be closed."""
        found = next(self._next)
        if found is None:
            self._begin = time.time() - self._played_s
            return None
        header, _ = found
        self.produced += 1
        self._number += 1
        self._played_s += header.duration_s
        if self._paced:
            self._begin = max(self._begin, time.time() - self._played_s)  # nothing is left out when a client is late
            self._end.wait(max(0.0, self._begin + self._played_s - time.time()))
        return found

    def drop(self) -> None:
        """Leave a frame out."""
        self._number += 1

    def restart(self) -> None:
        """Count from 0."""
        self._number = 0

    def _endless(self) -> Iterator[Numbered | None]:
        while True:
            for stretch in self._stretches:
                if self.produced and (stretch.connected or not stretch.start):
                    yield None
                for reason, count in stretch.kept_back.items():
                    for _ in range(count if reason != _LOST else 0):
                        yield self._kept_back(stretch, reason)
                self._number += stretch.kept_back.get(_LOST, 0)
                for start in range(stretch.start, stretch.stop, self.cpi_length):
                    yield self._frame(stretch, start, min(self.cpi_length, stretch.stop - start))

    def _frame(self, stretch: Stretch, start: int, length: int) -> Numbered:
        state = stretch.sync_state if stretch.packet_samples is None else TRACKING
        flags = sum(1 << m for m in set(stretch.overdriven) if 0 <= m < self.n_channels)
        header = self._header(stretch, length, sync_state=state, adc_overdrive_flags=flags)
        return header, self._recording.read(start, length)

    def _kept_back(self, stretch: Stretch, reason: str) -> Numbered:
        header = self._header(stretch, 0, **_HEADERS.get(reason, _UNSYNCHRONISED))
        return header, np.empty((header.active_ant_chs, 0), np.complex64)

    def _header(self, stretch: Stretch, length: int, **other: Any) -> Any:
        gains = [g if math.isfinite(g) else 0.0 for g in stretch.gains_db]
        return header_of(
            other.pop("active_ant_chs", self.n_channels), length, self._rate_hz, stretch.frequency_hz or 0.0, gains,
            self._number % 2**32, self._begin + self._played_s, **other,
        )  # fmt: skip
