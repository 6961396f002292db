"""What is done of a run, in the folder of its results: a file that grows by a line, and parts of inputs not finished.

The first line of ``manifest.jsonl`` says what the run is; a folder takes no other. Then a line for each input that was
looked at, each part that is there, each task that was set aside, and each input that is finished. A part is written
whole before its line is, so a run that was ended at any moment goes on from the lines that are there.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from doamc.errors import RecordingError, SnapshotError
from doamc.files.atomic import make_folder, whole_file
from doamc.files.line_file import LineFile
from doamc.files.lock import Lock
from doamc.text import reason, shown

SCHEMA = "doamc.run/1"
_PARTS = ".parts"


class Manifest:
    """The manifest of a folder, which is made; a context manager, which keeps others from writing there.

    settings: what results depend on, plain values. Attributes: digests, of each input that was looked at; parts, the
    numbers that what is there of each begins with; done, inputs that are finished.
    Raises RecordingError when the folder holds a run with other settings, cannot be written, or somebody else does.
    """

    def __init__(self, folder: str | Path, settings: dict[str, Any]) -> None:
        self.folder = Path(folder)
        path = self.folder / "manifest.jsonl"
        make_folder(path)
        self._lock = Lock(path)
        self.digests, self.parts, self.done = dict[str, str](), dict[str, set[int]](), set[str]()
        try:
            known = self._replay(path, settings)
            self._file = LineFile(path, whole=True)
            if not known:
                self._write({"schema": SCHEMA, "settings": settings})
        except BaseException:
            self._lock.release()
            raise

    def looked_at(self, name: str, digest: str, **told: Any) -> None:
        """Note an input. What is there of another one of this name is forgotten."""
        if self.digests.get(name) != digest:
            self._write({"input": name, "digest": digest, **told})
            self._note_input(name, digest)

    def add_part(self, name: str, first: int, data: bytes) -> None:
        """Keep a part, which begins with this number."""
        path = self._part(name, first)
        make_folder(path)
        with whole_file(path) as file:
            file.write(data)
        self._write({"part": name, "first": first})
        self.parts.setdefault(name, set()).add(first)

    def read_parts(self, name: str) -> Iterator[tuple[int, bytes]]:
        """The parts of an input in their order, with the numbers that they begin with.

        Raises SnapshotError where one cannot be read.
        """
        for first in sorted(self.parts.get(name, ())):
            try:
                yield first, self._part(name, first).read_bytes()
            except OSError as error:
                raise SnapshotError(f"cannot read a part of {name} ({reason(error)})") from error

    def forget(self, name: str) -> None:
        """Let the parts of an input go, which are damaged: they are made again."""
        self._write({"input": name, "digest": ""})
        self._remove(self.parts.pop(name, set()), name)
        self._note_input(name, "")

    def set_aside(self, name: str, chunks: list[int], why: str) -> None:
        """Note a task that failed too often; it is tried again when the run is started again."""
        self._write({"failed": name, "chunks": chunks, "reason": why})

    def finish(self, name: str, file: str) -> None:
        """Note that the results of an input are written, and let its parts go."""
        self._write({"done": name, "file": file})
        self.done.add(name)
        self._remove(self.parts.pop(name, set()), name)

    def close(self) -> None:
        """Let others have the folder; again is harmless."""
        self._file.close()
        self._lock.release()

    def __enter__(self) -> "Manifest":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _remove(self, parts: set[int], name: str) -> None:
        for first in parts:
            self._part(name, first).unlink(missing_ok=True)
        for folder in (self._part(name, 0).parent, self.folder / _PARTS):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def _part(self, name: str, first: int) -> Path:
        return self.folder / _PARTS / _short(name) / f"{first}.part"

    def _write(self, line: dict[str, Any]) -> None:
        self._file.append(json.dumps(line).encode() + b"\n")

    def _note_input(self, name: str, digest: str) -> None:
        self.digests[name] = digest
        self.parts[name] = set()
        self.done.discard(name)

    def _replay_line(self, line: dict[str, Any]) -> None:
        """Take up a line. Raises KeyError, TypeError or ValueError on one that no run writes."""
        if "input" in line:
            self._note_input(str(line["input"]), str(line["digest"]))
        elif "part" in line:
            self.parts.setdefault(str(line["part"]), set()).add(int(line["first"]))
        elif "done" in line:
            self.done.add(str(line["done"]))
            self.parts.pop(str(line["done"]), None)

    def _replay(self, path: Path, settings: dict[str, Any]) -> bool:
        """Take up what the file holds; whether it holds anything."""
        known = False
        for number, line in _lines(path):
            if not known:
                _check_settings(path, line, settings)
                known = True
                continue
            try:
                self._replay_line(line)
            except (KeyError, TypeError, ValueError) as error:
                raise _damaged(path, number, error) from error
        for name, parts in self.parts.items():  # one that somebody removed is made again
            parts.intersection_update({first for first in parts if self._part(name, first).is_file()})
        return known


def _damaged(path: Path, number: int, error: Exception) -> RecordingError:
    why = f"line {number} damaged ({reason(error)})"
    return RecordingError(f"{path}: expected lines of JSON that a run wrote, found {why}; name another folder")


def _short(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:16]


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            if not text.endswith(b"\n"):
                return  # torn by a crash; it is cut off before the next is written
            try:
                line = json.loads(text.decode())
                if not isinstance(line, dict):
                    raise ValueError("no object")
            except ValueError as error:
                raise _damaged(path, number, error) from error
            yield number, line


def _check_settings(path: Path, line: dict[str, Any], settings: dict[str, Any]) -> None:
    held = line.get("settings")
    if line.get("schema") != SCHEMA or not isinstance(held, dict):
        raise RecordingError(f"{path}: expected a run of schema {SCHEMA}, found {shown(line.get('schema'))}")
    plain = json.loads(json.dumps(settings))
    names = sorted(plain.keys() | held.keys(), key=lambda k: (k != "version", k))
    other = [k for k in names if plain.get(k) != held.get(k)]
    if other:
        was = ", ".join(f"{k} {shown(held.get(k))}" for k in other[:3])
        raise RecordingError(
            f"{path.parent}: expected a new folder, or the run that it holds, found that one to have {was}; name "
            "another folder, or the same options"
        )
