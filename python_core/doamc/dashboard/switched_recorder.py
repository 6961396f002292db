"""Recordings that the page starts and stops: JSON lines, one file for each receiver, in one configured folder."""

import os
import re
import threading
import time
from pathlib import Path
from typing import Any

from doamc.errors import DashboardError, RecordingError
from doamc.estimates.record import Recorder


class SwitchedRecorder:
    """Writes messages while it is on; any thread.

    folder: where the files go, None when recording is not configured. A file is named after the time of the start (UTC)
    and the receiver, never after what a browser says, and a file that exists is never written to. A full disk ends the
    recording and is told in `state`. Raises DashboardError when the folder is none, or may not be written.
    """

    def __init__(self, folder: str | Path | None) -> None:
        self.folder = None if folder is None else Path(folder)
        if self.folder is not None and not os.path.isdir(self.folder):
            raise DashboardError(f"expected a folder for recordings, found no such folder {self.folder}; make it first")
        if self.folder is not None and not os.access(self.folder, os.W_OK):
            raise DashboardError(f"expected a folder for recordings that can be written, found {self.folder}")
        self._lock = threading.Lock()
        self._files: dict[str, Recorder] = {}
        self._done: list[dict[str, Any]] = []
        self._since: float | None = None
        self._error: str | None = None

    def start(self) -> None:
        """Begin; harmless while it is on. Raises DashboardError when no folder is configured."""
        if self.folder is None:
            raise DashboardError("recording needs a folder: start the dashboard with --recordings FOLDER")
        with self._lock:
            if self._since is None:
                self._since, self._error, self._done = time.time(), None, []

    def stop(self) -> None:
        """End and close the files; again is harmless."""
        with self._lock:
            self._end()

    def write(self, name: str, message: dict[str, Any]) -> None:
        """Append a message of the receiver `name`, if the recording is on."""
        with self._lock:
            if self._since is None or self.folder is None:
                return
            try:
                if name not in self._files:
                    self._files[name] = Recorder(_free_path(self.folder, self._since, name))
                self._files[name].write(message)
            except RecordingError as error:
                self._end()
                self._error = str(error)

    def state(self) -> dict[str, Any]:
        """Whether it is possible and on, since when, the files with their numbers of messages, and the last error."""
        with self._lock:
            files = [{"file": r.path.name, "messages": r.written} for r in self._files.values()] or self._done
            return {
                "possible": self.folder is not None,
                "on": self._since is not None,
                "since": self._since,
                "files": files,
                "error": self._error,
            }

    def _end(self) -> None:
        if self._since is not None:
            self._done = [{"file": r.path.name, "messages": r.written} for r in self._files.values()]
        for recorder in self._files.values():
            recorder.close()
        self._files, self._since = {}, None


def _free_path(folder: Path, since: float, name: str) -> Path:
    begun = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(since))
    stem = f"doamc-{begun}-{re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-') or 'receiver'}"
    path, count = folder / f"{stem}.jsonl", 1
    while path.exists():
        count += 1
        path = folder / f"{stem}-{count}.jsonl"
    return path
