"""What a training writes down as it goes: JSON lines beside the checkpoint, for ``doamc plot``."""

import math
from pathlib import Path
from typing import Any

from doamc.errors import RecordingError
from doamc.estimates.record import Recorder, read_records
from doamc.snapshots.atomic import check_output, make_folder

SCHEMA = "doamc.training/1"
_NAMES = ("schema", "kind", "array")


def log_of(path: Path) -> Path:
    """Where the log of the training that makes a checkpoint lies."""
    return path.with_suffix(".log.jsonl")


class TrainingLog:
    """Writes lines of schema ``doamc.training/1``; a context manager.

    A line has ``step``, ``minutes``, ``loss``, ``rate``, and figures when the net was validated.
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

    def write(self, step: int, minutes: float, loss: float, rate: float, figures: dict[str, float]) -> None:
        """Add a line; a loss that is not known yet is null."""
        line = {"step": step, "minutes": round(minutes, 4), "loss": loss, "rate": rate}
        self._recorder.write(self._head | line | figures)

    def __enter__(self) -> "TrainingLog":
        return self

    def __exit__(self, *exception: object) -> None:
        self._recorder.close()


def read_training(path: str | Path) -> list[dict[str, Any]]:
    """Lines of a training log, in order, numbers as floats and NaN for null.

    Of steps that were told twice, because a resumed training went over them again, the later lines count. Lines that
    are none as `TrainingLog` writes them are passed over.
    Raises RecordingError when the file cannot be read or holds no such line.
    """
    lines: list[dict[str, Any]] = []
    for message in read_records(path):
        if not _is_line(message):
            continue
        while lines and lines[-1]["step"] >= message["step"]:
            lines.pop()
        lines.append({k: math.nan if v is None else v for k, v in message.items()})
    if not lines:
        raise RecordingError(f"expected a log of doamc train in {path}, found no line of one")
    return lines


def _is_line(message: dict[str, Any]) -> bool:
    """Whether names are texts, the step and minutes are numbers, and every other figure is one or null."""
    told = {k: v for k, v in message.items() if k not in _NAMES}
    return (
        message["schema"] == SCHEMA
        and all(isinstance(message.get(k), str) for k in _NAMES)
        and {"step", "minutes", "loss", "rate"} <= told.keys()
        and all(v is None or (isinstance(v, (int, float)) and not isinstance(v, bool)) for v in told.values())
        and isinstance(told["step"], int)
        and told["minutes"] is not None
    )
