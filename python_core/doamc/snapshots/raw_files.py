"""Captures without metadata: interleaved samples, .npy arrays and .wav files, with what the user says about them."""

import struct
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError
from doamc.files.remote import file_at, is_file
from doamc.snapshots.npy import DAMAGED, read_header
from doamc.snapshots.sample_file import SampleFile
from doamc.snapshots.segments import Capture, Segment
from doamc.text import reason, shown

#: data types that the name of a file tells
SUFFIXES = {
    ".cfile": "cf32_le", ".cf32": "cf32_le", ".fc32": "cf32_le", ".cs16": "ci16_le", ".sc16": "ci16_le",
    ".cs8": "ci8", ".sc8": "ci8", ".cu8": "cu8",
}  # fmt: skip
_PCM = {1: "cu8", 2: "ci16_le", 4: "ci32_le"}


@dataclass(frozen=True)
class RawForm:
    """What a user says of a capture: SigMF data type, number of channels, sample rate and centre frequency in Hz."""

    datatype: str | None = None
    channels: int | None = None
    sample_rate_hz: float | None = None
    frequency_hz: float | None = None

    def check_unused(self, path: str | Path) -> None:
        """Raise RecordingError where it says what a file tells itself, and would be passed over."""
        told = {"--datatype": self.datatype, "--channels": self.channels, "--sample-rate": self.sample_rate_hz}
        given = [name for name, value in told.items() if value is not None]
        if given:
            raise RecordingError(f"{path}: expected no {', '.join(given)} for a file that describes itself")


class RawCapture(Capture):
    """Samples of a file that does not describe itself, in one segment.

    Interleaved samples (a data type is needed, unless the file's name tells it): channels 0, 1, ..., N - 1 of the first
    moment, then of the next. A .npy file holds one complex array, (N, T) or (T, N). A .wav file (PCM of 8, 16 or 32
    bits) holds I and Q of channel 0, then of channel 1, ....
    n_channels: of the array, taken where the form tells none; with neither there is one (.npy: the shorter axis).
    Raises RecordingError when something is missing, and names the option that gives it, or does not fit the file.
    """

    def __init__(self, path: str | Path, n_channels: int | None, form: RawForm) -> None:
        super().__init__()
        self.path = file_at(path)
        if not is_file(self.path):
            raise RecordingError(f"{path}: expected a capture, found no such file")
        size, kind = self.path.stat().st_size, self.path.suffix.lower()
        self.sample_rate_hz, asked = form.sample_rate_hz, form.channels or n_channels
        if kind == ".npy":
            self._files = self._array(size, asked)
        elif kind == ".wav":
            self._files = [self._wav(size, asked)]
        else:
            datatype = form.datatype or SUFFIXES.get(kind)
            if datatype is None and kind == ".npz":
                raise RecordingError(
                    f"{path}: expected a capture, found an .npz file, which has no sample rate; use doamc estimate"
                )
            if datatype is None:
                raise RecordingError(
                    f"{path}: expected --datatype (cf32_le, ci16_le, ci8, cu8, ...) for a file of bare samples, found "
                    "none; give it, with --sample-rate, --frequency and --channels"
                )
            self._files = [SampleFile(self.path, datatype, asked or 1, 0, size)]
        self.n_channels = sum(file.n_channels for file in self._files)
        self.n_samples = self._files[0].n_samples
        if n_channels is not None and self.n_channels != n_channels:
            found = f"expected {n_channels} channels for this array, found {self.n_channels}"
            raise RecordingError(f"{path}: {found}; check --array and --channels")
        if not self.n_samples or self._files[0].rest:
            raise RecordingError(
                f"{path}: expected whole samples of {self._files[0].frame_bytes} bytes, found {size} bytes; check "
                "--datatype and --channels, or the file is truncated"
            )
        begins = None if self.sample_rate_hz is None else 0.0
        self.segments = [Segment(0, self.n_samples, form.frequency_hz, begins)]

    def read(self, start: int, count: int) -> NDArray[np.complex64]:
        """Samples start to start + count of all channels, (N, count). Raises RecordingError beyond the end."""
        return np.concatenate([file.read(start, count) for file in self._files])

    def _array(self, size: int, asked: int | None) -> list[SampleFile]:
        try:
            with self.path.open("rb") as file:
                header = read_header(file, size)
        except DAMAGED as error:
            raise RecordingError(f"{self.path}: expected a .npy file, cannot read it ({reason(error)})") from error
        shape, found = header.shape, f"{header.dtype} {shown(header.shape)}"
        datatype = {"<c8": "cf32_le", ">c8": "cf32_be", "<c16": "cf64_le", ">c16": "cf64_be"}.get(header.dtype.str)
        if len(shape) != 2 or datatype is None or min(shape) < 1:
            raise RecordingError(
                f"{self.path}: expected one complex array (N, T) of single or double precision, found {found}; write "
                "batches (B, N, L) to an .npz file under the name snapshots"
            )
        channels = asked or min(shape)
        if channels not in shape:
            raise RecordingError(f"{self.path}: expected {channels} channels, (N, T), found {found}; check --array")
        place = self.path, datatype
        if (shape[0] == channels) == header.fortran:  # stored moment by moment
            return [SampleFile(*place, channels, header.length, header.n_bytes)]
        row = header.n_bytes // channels
        return [SampleFile(*place, 1, header.length + m * row, row) for m in range(channels)]

    def _wav(self, size: int, asked: int | None) -> SampleFile:
        try:
            with self.path.open("rb") as file, wave.open(file) as wav:
                columns, width, rate = wav.getnchannels(), wav.getsampwidth(), wav.getframerate()
                begin, told = file.tell(), wav.getnframes() * columns * width
        except (wave.Error, EOFError, OSError, ValueError, RuntimeError, struct.error) as error:
            raise RecordingError(
                f"{self.path}: expected a .wav file of PCM samples, cannot read it ({reason(error)}); write bare "
                "samples instead (for example sox IN.wav OUT.raw) and give --datatype"
            ) from error
        if columns % 2 or width not in _PCM:
            raise RecordingError(
                f"{self.path}: expected pairs of I and Q, each of 8, 16 or 32 bits, found {columns} columns of "
                f"{8 * width} bits"
            )
        if asked is not None and columns != 2 * asked:
            raise RecordingError(
                f"{self.path}: expected I and Q of {asked} channels, {2 * asked} columns, found {columns}; see --array"
            )
        self.sample_rate_hz = self.sample_rate_hz or float(rate) or None
        held = max(0, size - begin)
        if told > held:
            self.remarks.append(f"{self.path}: the header tells of {told} bytes; the {held} that are there are read")
            told = held - held % (columns * width)
        return SampleFile(self.path, _PCM[width], columns // 2, begin, told)
