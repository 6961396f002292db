"""What a training writes down as it goes: JSON lines beside the checkpoint, for ``doamc plot``."""

import math
from pathlib import Path
from typing import Any

from doamc.errors import RecordingError
from doamc.estimates.record import Recorder, read_records
from doamc.files.atomic import check_output, make_folder

SCHEMA = "doamc.training/1"
LONGEST, MOST_METRICS, LARGEST = 64, 16, 1e15  #: of names, of the entries of a line, and of numbers


def log_of(path: Path) -> Path:
    """Where the log of the training that makes a checkpoint lies."""
    return path.with_suffix(".log.jsonl")


class TrainingLog:
    """Writes lines of schema ``doamc.training/1``; a context manager.

    A line has ``step``, ``minutes``, ``loss``, ``rate``, and metrics when the net was validated.
    resume: go on with the log that is there, instead of beginning anew. Raises RecordingError when it cannot be
    written.
    """

    def __init__(self, path: Path, kind: str, array: str, resume: bool) -> None:
        make_folder(path)
        check_output(path)
        if not resume:
            path.unlink(missing_ok=True)
        self._head = {"schema": SCHEMA, "kind": kind, "array": array}
        self._recorder = Recorder(path)

    def write(self, step: int, minutes: float, loss: float, rate: float, metrics: dict[str, float]) -> None:
        """Add a line; a loss that is not known yet is null."""
        line = {"step": step, "minutes": round(minutes, 4), "loss": loss, "rate": rate}
        self._recorder.write(self._head | line | metrics)

    def __enter__(self) -> "TrainingLog":
        return self

    def __exit__(self, *exception: object) -> None:
        self._recorder.close()


def read_training(path: str | Path) -> list[dict[str, Any]]:
    """Lines of a training log, in order, numbers as floats and NaN for null.

    A line with anything but names and numbers of a sensible size is none. Of steps that were written twice, because a
    resumed training went over them again, the later lines count.
    Raises RecordingError when the file cannot be read or holds no such line.
    """
    lines: list[dict[str, Any]] = []
    for message in read_records(path):
        if message["schema"] != SCHEMA or not _is_line(message):
            continue
        while lines and lines[-1]["step"] >= message["step"]:
            lines.pop()
        lines.append({k: math.nan if v is None else v for k, v in message.items()})
    if not lines:
        raise RecordingError(f"expected a log of doamc train in {path}, found no line of one")
    return lines


def _is_line(message: dict[str, Any]) -> bool:
    """Whether a message has the entries of a line, and nothing that cannot be drawn."""
    names = [message.get("kind"), message.get("array"), *message]
    numbers = {k: v for k, v in message.items() if k not in ("schema", "kind", "array")}
    return (
        all(isinstance(n, str) and 0 < len(n) <= LONGEST and n.isprintable() for n in names)
        and {"step", "minutes", "loss", "rate"} <= numbers.keys()
        and len(numbers) <= MOST_METRICS
        and isinstance(numbers["step"], int)
        and numbers["minutes"] is not None
        and all(v is None or (type(v) in (int, float) and abs(v) <= LARGEST) for v in numbers.values())
    )
