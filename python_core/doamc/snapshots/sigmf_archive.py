"""SigMF archives: tar files of metadata and data, read in place."""

import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from doamc.errors import RecordingError
from doamc.snapshots.sigmf_metadata import MAX_METADATA
from doamc.text import reason

ARCHIVE = ".sigmf"
#: members of an archive that are looked at
_MAX_MEMBERS = 10_000


@dataclass(frozen=True)
class Data:
    """Where a dataset lies: bytes offset <= k < offset + size of a file."""

    path: Path
    offset: int
    size: int


def open_archive(path: Path) -> tuple[bytes, Data]:
    """Metadata and place of the data of an archive of one recording; nothing is unpacked.

    Raises RecordingError when it is missing, damaged, compressed, or holds several recordings.
    """
    if not os.path.isfile(path):
        raise RecordingError(f"{path}: expected a recording, found no such file")
    size = path.stat().st_size
    try:
        with path.open("rb") as file, tarfile.open(fileobj=_Careful(file), mode="r:") as tar:  # type: ignore[call-overload]
            members = list[tarfile.TarInfo]()
            for member in tar:
                if len(members) >= _MAX_MEMBERS:
                    raise tarfile.TarError(f"more than {_MAX_MEMBERS} members")
                if member.isreg() and not member.issparse():
                    members.append(member)
            metas = [m for m in members if m.name.endswith(".sigmf-meta")]
            if len(metas) != 1:
                raise RecordingError(
                    f"{path}: expected an archive of one recording, found {len(metas)}; unpack it (tar -xf) and name "
                    "one of them, or the .sigmf-collection"
                )
            base = metas[0].name.removesuffix("-meta")
            datas = [m for m in members if m.name == f"{base}-data"] or [
                m for m in members if m is not metas[0] and Path(m.name).parent == Path(base).parent
            ]
            if len(datas) != 1:
                raise RecordingError(f"{path}: expected one file of samples in the archive, found {len(datas)}")
            if metas[0].size > MAX_METADATA or datas[0].offset_data + datas[0].size > size:
                raise tarfile.TarError("a member is larger than the archive")
            content = tar.extractfile(metas[0])
            text = b"" if content is None else content.read()
    except (tarfile.TarError, OSError, ValueError, OverflowError, EOFError, RecursionError) as error:
        if isinstance(error, RecordingError):
            raise
        raise RecordingError(
            f"{path}: expected an archive, a tar file that is not compressed ({reason(error)}); unpack it and name "
            "the .sigmf-meta file"
        ) from error
    return text, Data(path, datas[0].offset_data, datas[0].size)


class _Careful:
    """A file that refuses to be read beyond what metadata and headers may have: tarfile believes any size it finds.

    All reads count together, since newer Pythons read large members in pieces.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.seek, self.tell, self.name = file, file.seek, file.tell, file.name
        self._left = 2 * MAX_METADATA + tarfile.RECORDSIZE

    def read(self, size: int = -1) -> bytes:
        """So many bytes. Raises OSError when they are more than are left."""
        if not 0 <= size <= self._left:
            raise OSError("a header is too large")
        self._left -= size
        return self._file.read(size)
