"""Arrays in .npy files and .npz archives: what a header says is compared with the file before memory is taken.

Nothing is unpickled. An archive's members may be stored or deflated, as NumPy writes them.
"""

import io
import math
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from doamc.errors import SnapshotError
from doamc.files.remote import is_file, is_url
from doamc.text import reason, shown

#: an array that is read as a whole, bytes
MAX_WHOLE = 1 << 28
_MAX_HEADER = 10_000  #: NumPy's own limit
_LOCAL_LENGTHS = 26  #: where a member's own header tells how long its name and its extra field are
_MAX_DEFLATE = 1032  #: no deflated byte holds more than so many
_READERS = {(1, 0): ("<H", npy.read_array_header_1_0), (2, 0): ("<I", npy.read_array_header_2_0)}
#: what reading a damaged file may raise
DAMAGED = (
    zipfile.BadZipFile, zlib.error, tokenize.TokenError, struct.error, ValueError, SyntaxError, TypeError, EOFError,
    NotImplementedError, RuntimeError, OSError, LookupError, OverflowError, MemoryError,
)  # fmt: skip


@dataclass(frozen=True)
class NpyHeader:
    """Shape, order and type of an array, and the bytes that the header takes."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype
    length: int

    @property
    def n_bytes(self) -> int:
        """Bytes of the samples."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes], size: int) -> NpyHeader:
    """Header of a .npy stream of `size` bytes, which is left at its first sample. ValueError on what does not fit."""
    version = npy.read_magic(file)
    if version not in _READERS:
        raise ValueError(f"format version {version}")
    width, read = _READERS[version]
    head = file.read(struct.calcsize(width))
    (length,) = struct.unpack(width, head)
    if length > _MAX_HEADER:
        raise ValueError(f"a header of {length} bytes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # integers as Python 2 wrote them; what a damaged text makes the parser say
        shape, fortran, dtype = read(io.BytesIO(head + file.read(length)))
    header = NpyHeader(shape, fortran, dtype, 8 + len(head) + length)
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    if any(n < 0 for n in shape) or header.length + header.n_bytes != size:
        raise ValueError(f"shape {shown(shape)} of {dtype.itemsize} bytes each does not fit {size} bytes of data")
    return header


class Archive:
    """The arrays of an .npz file by name.

    Raises SnapshotError when it is no such file; so do its methods.
    """

    def __init__(self, path: Path, holds: str = "snapshots") -> None:
        """holds: what messages say that the file should hold."""
        self.path = path
        if not is_file(path):
            raise SnapshotError(f"expected a file of {holds}, found none at {path}")
        with self._guarded(f"expected an .npz file of {holds}, cannot read it"):
            with path.open("rb") as raw, zipfile.ZipFile(raw) as archive:
                self._members = {m.filename.removesuffix(".npy"): m for m in archive.infolist()}
            self._headers: dict[str, NpyHeader] = {}
        self.names = list(self._members)

    def header(self, name: str) -> NpyHeader:
        """Header of an array."""
        if name not in self._headers:
            with self._guarded(f"cannot read {name}"), self._open(name) as file:
                self._headers[name] = read_header(file, self._members[name].file_size)
        return self._headers[name]

    @property
    def checksums(self) -> list[tuple[str, int, int]]:
        """Name, size and CRC-32 of every member, as the archive tells them, in order of their names."""
        return sorted((name, m.file_size, m.CRC) for name, m in self._members.items())

    def whole(self, name: str, most: int = MAX_WHOLE) -> NDArray[Any]:
        """An array as a whole, of at most `most` bytes."""
        header = self.header(name)
        if header.n_bytes > most:
            raise SnapshotError(
                f"{self.path}: expected at most {most} bytes of {name}, found {shown(header.shape)} of "
                f"{header.dtype}; write a smaller array, or snapshots in C order, which are read in parts"
            )
        with self._guarded(f"cannot read {name}"), self._open(name) as file:
            file.read(header.length)
            flat = np.frombuffer(_exactly(file, header.n_bytes), header.dtype)
            return flat.reshape(header.shape, order="F" if header.fortran else "C")

    def parts(self, name: str, n_bytes: int, skipped: int = 0) -> Iterator[bytes]:
        """The samples of an array in storage order, `n_bytes` at a time, but for the first `skipped` bytes.

        What is skipped is read nevertheless where the member is deflated.
        """
        header = self.header(name)
        with (
            self._guarded(f"expected whole {name}, found damaged data"),
            self._open(name, skipped > 0 or is_url(self.path)) as file,
        ):
            file.read(header.length)
            file.seek(skipped, os.SEEK_CUR)
            left = header.n_bytes - skipped
            while left > 0:
                yield _exactly(file, min(n_bytes, left))
                left -= n_bytes

    @contextmanager
    def _open(self, name: str, direct: bool = False) -> Iterator[IO[bytes]]:
        """A member's bytes; direct: those of a stored one as they lie in the file, to seek in, without their sum."""
        member = self._members[name]
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("it is encrypted, or compressed by another method than deflate; write it with numpy.savez")
        dense = member.compress_type == zipfile.ZIP_STORED
        held = self.path.stat().st_size
        if member.compress_size > held or member.file_size > member.compress_size * (1 if dense else _MAX_DEFLATE):
            raise ValueError(f"{member.file_size} bytes are declared, more than {held} bytes of file can hold")
        with self.path.open("rb") as raw:
            if direct and dense:
                raw.seek(member.header_offset + _LOCAL_LENGTHS)
                raw.seek(sum(struct.unpack("<HH", raw.read(4))), os.SEEK_CUR)
                yield raw
            else:
                with zipfile.ZipFile(raw) as archive, archive.open(member) as file:
                    yield file

    @contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        try:
            yield
        except SnapshotError:
            raise
        except DAMAGED as error:
            raise SnapshotError(f"{self.path}: {what} ({reason(error)})") from error


def _exactly(file: IO[bytes], n_bytes: int) -> bytes:
    data = file.read(n_bytes)
    if len(data) < n_bytes:
        raise EOFError("the data end early")
    return data
