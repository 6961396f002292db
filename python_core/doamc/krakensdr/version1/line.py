"""Frames of the emulated server as their turn comes: numbered and stamped as of a receiver that runs continuously."""

import threading
import time
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ReceiverError
from doamc.krakensdr.sources import FrameSource
from doamc.krakensdr.version1.emulated_control import ControlServer
from doamc.krakensdr.version1.frame import MAX_CHANNELS, Header

#: frames that a paced server holds for a client that is late
_HELD = 2

Numbered = tuple[Header, NDArray[np.complex64]]


class Frames(Protocol):
    """What the emulator sends.

    n_channels, frequency_hz: of the receiver. produced: frames numbered so far, of all restarts. skipped: those that
    came due unfetched.
    """

    n_channels: int
    frequency_hz: float
    produced: int
    skipped: int

    def next(self) -> Numbered | None:
        """The next frame, once it is due; None where the connection is to be closed instead."""

    def drop(self) -> None:
        """Leave a frame out."""

    def restart(self) -> None:
        """Count from 0."""


class Line:
    """The frames of a source, over and over.

    paced: at its sample rate, those left out that nobody fetched in time. control: what is set. end: of the server.
    overdrive: bit m: channel m overdrives its converter.
    """

    def __init__(self, source: FrameSource, paced: bool, control: ControlServer, end: threading.Event) -> None:
        self._source, self._paced, self._control, self._end = source, paced, control, end
        self.n_channels, self.frequency_hz = source.n_channels, source.frequency_hz
        self.produced = self.skipped = self.overdrive = self._index = 0
        self._begin = time.time()

    def next(self) -> Numbered:
        """The next frame: when paced, the oldest that is held, once it is due. Raises ReceiverError."""
        source = self._source
        duration_s = source.cpi_length / source.sample_rate_hz
        if self._paced:
            due = int((time.time() - self._begin) / duration_s)  # frames complete by now
            skipped = max(0, due - _HELD - self._index)
            self._index += skipped
            self.produced += skipped
            self.skipped += skipped
            self._end.wait(max(0.0, self._begin + (self._index + 1) * duration_s - time.time()))
        header = self._header()
        try:
            samples = source.frame(self._index)
        except OSError as error:  # of a file: no trouble with a client
            raise ReceiverError(f"cannot read frame {self._index} ({error})") from error
        self._index += 1
        self.produced += 1
        return header, samples

    def drop(self) -> None:
        """Leave a frame out."""
        self.next()

    def restart(self) -> None:
        """Count from 0."""
        self._index, self._begin = 0, time.time()

    def _header(self) -> Header:
        """Header of the frame whose turn it is."""
        source, number = self._source, self._index % 2**32
        duration_s = source.cpi_length / source.sample_rate_hz
        return header_of(
            source.n_channels, source.cpi_length, source.sample_rate_hz, self._control.frequency_hz,
            self._control.gains_db, number, self._begin + self._index * duration_s, adc_overdrive_flags=self.overdrive,
        )  # fmt: skip


def header_of(
    channels: int, length: int, rate_hz: float, frequency_hz: float, gains_db: list[float], number: int, time_s: float,
    **other: int,
) -> Header:  # fmt: skip
    """A header of the emulator. other: fields by name."""
    gains = [round(10 * g) for g in gains_db]
    return Header(
        hardware_id=b"emulator", active_ant_chs=channels, rf_center_freq=round(frequency_hz),
        adc_sampling_freq=round(rate_hz), sampling_freq=round(rate_hz), cpi_length=length,
        time_stamp=round(1e3 * time_s), daq_block_index=number, cpi_index=number,
        if_gains=(*gains, *[0] * (MAX_CHANNELS - len(gains))), **other,
    )  # fmt: skip
