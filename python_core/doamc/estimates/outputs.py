"""Where estimates go beside ZMQ: files and servers that map tools read, logs, annotations; all behind one face."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from doamc.errors import RecordingError
from doamc.estimates.annotations import annotate
from doamc.estimates.bearing import Bearing, Station, bearings
from doamc.estimates.kraken_csv import csv_line
from doamc.estimates.kraken_json import json_body
from doamc.estimates.kraken_xml import xml_document
from doamc.estimates.poster import Poster
from doamc.estimates.record import Recorder


class Output(Protocol):
    """Takes estimates until it is closed."""

    def write(self, message: dict[str, Any]) -> None:
        """Take a message ``doamc.estimate/1``."""

    def close(self) -> None:
        """Finish; again is harmless."""


class BearingOutput:
    """Base of the formats that hold bearings: the strongest source of an estimate, or all of them."""

    def __init__(self, station: Station, every: bool = False) -> None:
        self.station, self._every = station, every

    def write(self, message: dict[str, Any]) -> None:
        """Take an estimate; one without sources gives nothing. Raises PublishError when it has no frequency."""
        found = bearings(message, self.station, self._every)
        if found:
            self.put(found)

    def put(self, found: list[Bearing]) -> None:
        """Take the bearings of one estimate."""
        raise NotImplementedError

    def close(self) -> None:
        """Finish."""


class CsvLog(BearingOutput):
    """Appends CSV lines to a file. Raises RecordingError when it cannot be written."""

    def __init__(self, path: str | Path, station: Station, every: bool = False) -> None:
        super().__init__(station, every)
        self._path = Path(path)
        try:
            self._file = open(self._path, "ab", buffering=0)
        except OSError as error:
            raise RecordingError(f"cannot write {path}: {error.strerror}") from error

    def put(self, found: list[Bearing]) -> None:
        """Append their lines in one write."""
        data = "".join(csv_line(b, self.station) + "\n" for b in found).encode()
        try:
            count = self._file.write(data)
        except OSError as error:
            raise RecordingError(f"cannot write {self._path}: {error.strerror}") from error
        if count != len(data):
            raise RecordingError(f"cannot write {self._path}: {count} of {len(data)} bytes written, disk full?")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class LatestFile(BearingOutput):
    """Keeps a file that holds the newest bearings only: a reader finds it whole at any time.

    kind: ``csv`` (what the Kraken App polls) or ``xml`` (what DF-Aggregator does; the strongest source).
    """

    def __init__(self, path: str | Path, kind: str, station: Station, every: bool = False) -> None:
        super().__init__(station, every and kind == "csv")
        self._path, self._kind = Path(path), kind
        if not self._path.parent.is_dir():
            raise RecordingError(f"cannot write {path}: there is no folder {self._path.parent}; make it first")

    def put(self, found: list[Bearing]) -> None:
        """Replace the file. Raises RecordingError when it cannot be written."""
        if self._kind == "xml":
            data = xml_document(found[0], self.station)
        else:
            data = "".join(csv_line(b, self.station) + "\n" for b in found).encode()
        partial = self._path.with_name(f".{self._path.name}.part")
        try:
            partial.write_bytes(data)
            os.replace(partial, self._path)
        except OSError as error:
            raise RecordingError(f"cannot write {self._path}: {error.strerror}") from error


class JsonPost(BearingOutput):
    """Posts every bearing as JSON of a version (see `json_body`); see `Poster` for the counts."""

    def __init__(self, url: str, station: Station, every: bool = False, version: int = 1) -> None:
        super().__init__(station, every)
        self.poster, self._version = Poster(url), version

    def put(self, found: list[Bearing]) -> None:
        """Have them posted."""
        for bearing in found:
            self.poster.post(json_body(bearing, self.station, version=self._version))

    def close(self) -> None:
        """Post what waits, for five seconds at most."""
        self.poster.close()


class Annotations:
    """Writes all estimates into the metadata of a SigMF recording when it is closed (see `annotate`)."""

    def __init__(self, path: str | Path) -> None:
        from doamc.snapshots.sigmf_files import Recording

        Recording(path, verify=False)  # refused now rather than after the work
        self._path, self._messages, self.written = path, list[dict[str, Any]](), 0
        self._open = True

    def write(self, message: dict[str, Any]) -> None:
        """Keep an estimate, without the matrices."""
        self._messages.append({k: v for k, v in message.items() if k != "coupling"})

    def close(self) -> None:
        """Write the metadata."""
        if self._open:
            self._open = False
            self.written = annotate(self._path, self._messages)


class Outputs:
    """Several outputs as one; a context manager. What one raises reaches the caller; all are closed in the end."""

    def __init__(self, outputs: Sequence["Output | Recorder"]) -> None:
        self.outputs = list(outputs)

    def write(self, message: dict[str, Any]) -> None:
        """Give an estimate to every output."""
        for output in self.outputs:
            output.write(message)

    def close(self) -> None:
        """Close all."""
        with ExitStack() as stack:
            for output in self.outputs:
                stack.callback(output.close)

    def __enter__(self) -> "Outputs":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
