"""SigMF archives: tar files of metadata and data, read in place."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from doamc.errors import RecordingError
from doamc.files.remote import is_file
from doamc.snapshots.sigmf_metadata import MAX_METADATA
from doamc.text import reason

ARCHIVE = ".sigmf"
_META = ".sigmf-meta"
#: members of an archive that are looked at
_MAX_MEMBERS = 10_000


@dataclass(frozen=True)
class Data:
    """Where a dataset lies: bytes offset <= k < offset + size of a file."""

    path: Path
    offset: int
    size: int


def recordings_in(path: Path) -> list[str]:
    """Names of the recordings of an archive, without their endings. Raises RecordingError when it cannot be read."""
    with _opened(path) as (_, members):
        return [m.name.removesuffix(_META) for m in members if m.name.endswith(_META)]


def member_of(path: Path) -> tuple[Path, str | None]:
    """Archive and name of one of its recordings, written as ARCHIVE.sigmf/NAME; the path itself where it is no such."""
    for folder in path.parents:
        if folder.suffix == ARCHIVE and is_file(folder):
            return folder, str(path.relative_to(folder))
    return path, None


def open_archive(path: Path, name: str | None = None) -> tuple[bytes, Data]:
    """Metadata and place of the data of a recording in an archive; nothing is unpacked. name: None where it has one.

    Raises RecordingError when it is missing, damaged, compressed, or does not hold that one recording.
    """
    with _opened(path) as (tar, members):
        metas = [m for m in members if m.name.endswith(_META) and name in (None, m.name.removesuffix(_META))]
        if len(metas) != 1:
            wanted = "of one recording" if name is None else f"that holds a recording {name}"
            raise RecordingError(
                f"{path}: expected an archive {wanted}, found {len(metas)}; name one as {path.name}/NAME, or unpack "
                "it (tar -xf) and name one of them, or the .sigmf-collection"
            )
        base = metas[0].name.removesuffix("-meta")
        datas = [m for m in members if m.name == f"{base}-data"] or [
            m for m in members if not m.name.endswith(_META) and Path(m.name).parent == Path(base).parent
        ]
        if len(datas) != 1:
            raise RecordingError(f"{path}: expected one file of samples in the archive, found {len(datas)}")
        if metas[0].size > MAX_METADATA or datas[0].offset_data + datas[0].size > path.stat().st_size:
            raise tarfile.TarError("a member is larger than the archive")
        content = tar.extractfile(metas[0])
        text = b"" if content is None else content.read()
    return text, Data(path, datas[0].offset_data, datas[0].size)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[tarfile.TarFile, list[tarfile.TarInfo]]]:
    """An archive and its plain members. Raises RecordingError when it cannot be read."""
    if not is_file(path):
        raise RecordingError(f"{path}: expected a recording, found no such file")
    try:
        with path.open("rb") as file, tarfile.open(fileobj=_Careful(file, path), mode="r:") as tar:  # type: ignore[call-overload]
            members = list[tarfile.TarInfo]()
            for member in tar:
                if len(members) >= _MAX_MEMBERS:
                    raise tarfile.TarError(f"more than {_MAX_MEMBERS} members")
                if member.isreg() and not member.issparse():
                    members.append(member)
            yield tar, members
    except (tarfile.TarError, OSError, ValueError, OverflowError, EOFError, RecursionError) as error:
        if isinstance(error, RecordingError):
            raise
        raise RecordingError(
            f"{path}: expected an archive, a tar file that is not compressed ({reason(error)}); unpack it and name "
            "the .sigmf-meta file"
        ) from error


class _Careful:
    """A file that refuses to be read beyond what metadata and headers may have: tarfile believes any size it finds.

    All reads count together, since newer Pythons read large members in pieces.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self.seek, self.tell, self.name = file, file.seek, file.tell, str(path)
        self._left = 2 * MAX_METADATA + tarfile.RECORDSIZE

    def read(self, size: int = -1) -> bytes:
        """So many bytes. Raises OSError when they are more than are left."""
        if not 0 <= size <= self._left:
            raise OSError("a header is too large")
        self._left -= size
        return self._file.read(size)
