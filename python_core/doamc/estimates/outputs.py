"""Where estimates go beside ZMQ: files and servers that map tools read, and annotations; all with one interface.

Each has ``write`` and ``close``, as `doamc.estimates.fan_out.Output` has, and raises DoamcError from either.
"""

from pathlib import Path
from typing import Any

from doamc.errors import PublishError
from doamc.estimates.annotations import annotate, annotations_of, open_to_annotate
from doamc.estimates.bearing import Bearing, Station, bearings
from doamc.estimates.kraken_csv import csv_lines
from doamc.estimates.kraken_json import json_body
from doamc.estimates.kraken_xml import xml_document
from doamc.estimates.poster import Poster
from doamc.files.atomic import check_output, whole_file
from doamc.files.line_file import LineFile


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
        self._file = LineFile(path)

    def put(self, found: list[Bearing]) -> None:
        """Append their lines in one write."""
        self._file.append(csv_lines(found, self.station))

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
        check_output(path)

    def put(self, found: list[Bearing]) -> None:
        """Replace the file. Raises RecordingError when it cannot be written."""
        data = xml_document(found[0], self.station) if self._kind == "xml" else csv_lines(found, self.station)
        with whole_file(self._path, durable=False) as file:  # a power cut may lose it: the next one comes soon
            file.write(data)


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
        """Post what waits, for five seconds at most. Raises PublishError when posts were lost."""
        self.poster.close()
        lost = self.poster.failed + self.poster.dropped
        if lost:
            reason = self.poster.last_error or "no answer in time"
            raise PublishError(f"{lost} of {self.poster.posted} posts lost, {reason}")


class Annotations:
    """Writes all estimates into the metadata of a SigMF recording when it is closed (see `annotate`).

    Raises RecordingError as `open_to_annotate` does.
    """

    def __init__(self, path: str | Path) -> None:
        self._recording, self._made = open_to_annotate(path), list[dict[str, Any]]()
        check_output(self._recording.path)
        self._open = True

    def write(self, message: dict[str, Any]) -> None:
        """Keep the annotations of an estimate."""
        self._made += annotations_of(message, self._recording)

    def close(self) -> None:
        """Write the metadata."""
        if self._open:
            self._open = False
            annotate(self._recording, self._made)
