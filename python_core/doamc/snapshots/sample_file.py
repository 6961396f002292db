"""Interleaved samples in a file, in any SigMF data type, with foreign bytes before, between or behind them."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError
from doamc.text import reason, shown

_TYPE = re.compile(r"c(f32|f64|i8|i16|i32|u8|u16|u32)(_le|_be)?", re.ASCII)


def component_type(datatype: str) -> np.dtype:
    """Type of real and imaginary parts of a complex SigMF data type, little-endian where it does not say.

    Raises RecordingError on real or unknown ones.
    """
    match = _TYPE.fullmatch(datatype)
    if match is None:
        known = "cf32_le, cf64_le, ci16_le, ci8, cu8, ..."
        raise RecordingError(f"expected complex samples ({known}), found data type {shown(datatype)}")
    kind, bits = match[1][0], int(match[1][1:])
    return np.dtype(f"{'>' if match[2] == '_be' else '<'}{kind}{bits // 8}")


class SampleFile:
    """Frames of n_channels complex samples in a file.

    path: the file. The samples lie in `size` bytes of it, from `offset` on. foreign: (first sample, bytes) pairs,
    ascending: so many bytes before that sample belong to another format. trailing: foreign bytes at the end.
    Attributes: n_samples, rest (bytes at the end that are no whole frame).
    Raises RecordingError when there are fewer bytes than foreign ones.
    """

    def __init__(
        self, path: Path, datatype: str, n_channels: int, offset: int, size: int,
        foreign: list[tuple[int, int]] | None = None, trailing: int = 0,
    ) -> None:  # fmt: skip
        self.path, self.n_channels = path, n_channels
        self._type = component_type(datatype)
        self.frame_bytes = 2 * self._type.itemsize * n_channels
        own = size - trailing - sum(count for _, count in foreign or [])
        if own < 0 or trailing < 0 or any(count < 0 for _, count in foreign or []):
            raise RecordingError(f"{path}: expected header and trailing bytes within its {size} bytes, found more")
        self.n_samples, self.rest = divmod(own, self.frame_bytes)
        self._first, self._skipped = np.array([0]), np.array([offset])
        if foreign:
            first, skipped = zip(*foreign, strict=True)
            self._first = np.array([0, *first], np.int64)
            self._skipped = offset + np.cumsum([0, *skipped], dtype=np.int64)

    def read(self, start: int, count: int) -> NDArray[np.complex64]:
        """Samples start to start + count, (N, count), integers scaled to [-1, 1).

        Raises RecordingError beyond the end, or when the file has become shorter.
        """
        if start < 0 or count < 1 or start + count > self.n_samples:
            found = f"{start}..{start + count}"
            raise RecordingError(f"{self.path}: expected samples within 0..{self.n_samples}, found {found}")
        parts, stop = [], start + count
        run = int(np.searchsorted(self._first, start, side="right")) - 1
        try:
            with self.path.open("rb") as file:
                while start < stop:
                    end = min(stop, int(self._first[run + 1])) if run + 1 < len(self._first) else stop
                    if end > start:
                        file.seek(int(self._skipped[run]) + start * self.frame_bytes)
                        parts.append(file.read((end - start) * self.frame_bytes))
                        start = end
                    run += 1
        except OSError as error:
            raise RecordingError(f"{self.path}: cannot read samples ({error.strerror or reason(error)})") from error
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        if len(data) != count * self.frame_bytes:
            raise RecordingError(f"{self.path}: the data were truncated while being read")
        return self._complex(np.frombuffer(data, self._type)).reshape(count, self.n_channels).T.copy()

    def _complex(self, parts: NDArray) -> NDArray[np.complex64]:
        with np.errstate(all="ignore"):  # what single precision cannot hold becomes infinite, and is refused later
            scaled = parts.astype(np.float32)
        if self._type.kind in "iu":
            full = np.float32(2.0 ** (8 * self._type.itemsize - 1))
            if self._type.kind == "u":
                scaled -= full
            scaled /= full
        return scaled.view(np.complex64)
