"""Output files that appear whole or not at all."""

import io
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from doamc.errors import RecordingError
from doamc.files.remote import is_url

_SIGMF = ".sigmf-meta"
#: endings of files that are written: no names of their own, which readers, who go by the ending, would not see
_ENDINGS = frozenset(
    (".csv .db .fits .geojson .json .jsonl .key .key_secret .npz .parquet .pdf .png .safetensors .sigmf .sigmf-data "
     ".sigmf-meta .sqlite .svg .toml .xml").split()
)  # fmt: skip
LONGEST = 230  #: bytes of a file's name: leaves room for the longer name of the temporary file


@contextmanager
def whole_file(path: str | Path, durable: bool = True, private: bool = False) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path`, renamed to it when the block ends and deleted when it raises.

    durable: put on the disk before it is renamed, so that not even a power cut leaves half of it; takes some ms.
    private: nobody but the user may read it, at any time.
    Raises RecordingError when the folder is missing or cannot be written, or the disk is full.
    """
    path = Path(os.path.realpath(path))
    check_output(path)
    name = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        raw = _Patient(handle, "wb")
        with io.BufferedWriter(raw) as file:
            yield file
            file.flush()
            if raw.error is not None:
                raise raw.error
            if durable:
                os.fsync(file.fileno())
        if not private:  # as mkstemp makes it
            os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
        name = None
    except OSError as error:
        raise RecordingError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if name is not None:
            with suppress(OSError):
                os.unlink(name)


class _Patient(io.FileIO):
    """A file that does not raise when writing fails: it keeps the first error, and drops all that is written after it.

    Writers of archives and pictures do not survive a full disk: they raise another error while they clean up, or later
    when they are collected.
    """

    error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write, or drop the data after an error."""
        if self.error is None:
            try:
                return super().write(data)
            except OSError as error:
                self.error = error
        return memoryview(data).nbytes


def make_folder(path: str | Path) -> None:
    """Make the folder that a file at `path` will lie in. Raises RecordingError when that cannot be."""
    folder = Path(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"cannot write {path}: no folder {folder} can be made ({error.strerror})") from error


def check_output(path: str | Path, *endings: str) -> None:
    """Raise RecordingError unless a file can be made at `path`: asked before long work, not after it.

    endings: with a dot, of which its name is to have one, in any case, where some are given; readers go by them. That
    of SigMF is in small letters.
    """
    _check_name(path, "file")
    check_named(path)
    path = Path(path)
    if os.path.exists(path) and not os.path.isfile(path):  # Path's own raise where a folder may not be entered
        raise RecordingError(f"cannot write {path}: expected a plain file, found a folder or a device")
    if not os.path.isdir(path.parent):
        raise RecordingError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    try:
        name = os.fsencode(path.name)
    except UnicodeEncodeError:
        raise RecordingError(f"cannot write {path}: expected a name that can be encoded, found another") from None
    if len(name) > LONGEST:
        raise RecordingError(f"cannot write {path}: expected a name of at most {LONGEST} bytes")
    if not os.access(path.parent, os.W_OK):
        raise RecordingError(f"cannot write {path}: no permission in folder {path.parent}")
    if endings and not path.name.lower().endswith(endings):
        raise RecordingError(f"expected a file that ends in {_listed(endings)}, found {path}")
    if path.name.lower().endswith(_SIGMF) and not path.name.endswith(_SIGMF):
        raise RecordingError(f"expected {_SIGMF} in small letters, as SigMF has it, found {path}")


def check_folder(path: str | Path, *endings: str) -> None:
    """Raise RecordingError where `path` is to be a folder of results, and has the name of a file.

    endings: of files that may be written instead.
    """
    _check_name(path, "folder")
    if str(path) == "-":
        raise RecordingError("expected a folder for results, found -: they are not written to the terminal; name one")
    known = os.path.exists(path) or str(path).endswith(("/", os.sep))
    if not known:
        check_named(path)
    if not known and re.fullmatch(r"\.[A-Za-z][\w-]*", Path(path).suffix):
        other = f", or a file that ends in {_listed(endings)}" if endings else ""
        raise RecordingError(f"expected a folder for results{other}, found {path}; add / if it is to be a folder")


def check_named(path: str | Path) -> None:
    """Raise RecordingError where the name of a file is an ending alone, as ``$NAME.jsonl`` is where NAME is not set."""
    if (name := Path(path).name).lower() in _ENDINGS:
        raise RecordingError(f"expected a name before the ending {name}, found none in {path}")


def _check_name(path: str | Path, kind: str) -> None:
    """Raise RecordingError on an empty name, as of a variable that is not set, and on a URL."""
    if not str(path):
        raise RecordingError(f"expected the name of a {kind} for results, found none")
    if is_url(path):
        raise RecordingError(f"expected a {kind} of this machine for results, found {path}; copy it afterwards")


def _listed(words: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
