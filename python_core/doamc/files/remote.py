"""Files by path or URL (``s3://``, ``https://``, ...): what readers need of a `Path`, wherever a file lies.

Files far away are read by fsspec, with the credentials and addresses that its own settings and the environment give
(``AWS_ENDPOINT_URL`` and its kin); they are never part of a URL or a task.
"""

import io
import os
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, cast

from doamc.errors import DoamcError, RecordingError
from doamc.text import reason, shown

#: bytes that a small read takes at once
_BLOCK = 1 << 16


class Size(NamedTuple):
    """Of a file: bytes."""

    st_size: int


class RemotePath(PurePosixPath):
    """A file by URL, with those methods of `Path` that readers use. Its text is the URL."""

    def __str__(self) -> str:
        return super().__str__().replace(":/", "://", 1)

    def __fspath__(self) -> str:
        return str(self)

    def open(self, mode: str = "rb") -> IO[bytes]:
        """The file, for reading. Raises OSError."""
        with _told(self):
            return filesystem(str(self)).open(str(self), mode, block_size=_BLOCK, cache_type="readahead")

    def stat(self) -> Size:
        """Size of the file. Raises OSError."""
        with _told(self):
            size = filesystem(str(self)).info(str(self)).get("size")
        if size is None:
            raise OSError(f"{self}: the server does not tell the file's size")
        return Size(int(size))

    def is_file(self) -> bool:
        """Whether there is such a file. Raises OSError where its server does not answer."""
        try:
            with _told(self):
                return filesystem(str(self)).info(str(self)).get("type") == "file"
        except FileNotFoundError:
            return False


def is_url(name: object) -> bool:
    """Whether a name is a URL, rather than a path here."""
    return isinstance(name, RemotePath) or "://" in str(name)


def file_at(name: "str | Path") -> Path:
    """The file of a path or URL, as readers take it. Raises RecordingError on a URL that names no known store."""
    if not is_url(name):
        return Path(name)
    url = str(name)
    scheme, _, rest = url.partition("://")
    if scheme == "file":
        return Path("/" + rest.lstrip("/"))
    if "::" in url or "?" in url or "#" in url or not rest:
        raise RecordingError(f"expected a plain URL such as s3://BUCKET/KEY, found {shown(url)}")
    filesystem(url)
    return RemotePath(url)  # type: ignore[return-value]  # it has what of a Path readers use


def open_lines(path: "str | Path") -> io.BufferedReader:
    """A text in UTF-8 by path or URL, to read lines of bounded length; fsspec's own files do not bound them.

    A byte order mark, as programs of Windows put before it, is passed over. Raises OSError.
    """
    file = file_at(path).open("rb")
    lines = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast(Any, file))
    try:
        if lines.peek(3).startswith(BOM_UTF8):
            lines.read(len(BOM_UTF8))
    except BaseException:
        lines.close()
        raise
    return lines


def is_file(path: "str | Path") -> bool:
    """Whether there is a plain file at a path or URL. Raises RecordingError where a server does not answer."""
    if not is_url(path):
        return os.path.isfile(path)
    try:
        return file_at(path).is_file()
    except OSError as error:
        raise RecordingError(f"cannot read {path} ({reason(error)})") from error


def filesystem(url: str) -> Any:
    """The fsspec file system of a URL. Raises RecordingError where there is none, or a package is missing."""
    scheme = url.partition("://")[0]
    try:
        import fsspec

        return fsspec.filesystem(scheme)
    except (ImportError, ValueError) as error:
        raise RecordingError(
            f"expected a URL that fsspec can read (s3://, https://, ...), found {shown(scheme)} ({reason(error)}); "
            "s3:// and https:// come with: pip install 'gr-doamc[scale]'"
        ) from error


@contextmanager
def _told(path: RemotePath) -> Iterator[None]:
    """Whatever a store's own library raises becomes an OSError; FileNotFoundError only where the store says so."""
    try:
        yield
    except FileNotFoundError as error:
        why = error.__cause__  # fsspec takes a server that is not there, or not trusted, for a file that is not
        if why is None or isinstance(why, FileNotFoundError) or getattr(why, "status", None) in (404, 410):
            raise
        raise OSError(reason(why)) from error
    except (OSError, DoamcError):
        raise
    except Exception as error:
        raise OSError(f"{path}: {reason(error)}") from error
