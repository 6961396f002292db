"""Files that tell the truth of a run: the JSON beside a recording, truth messages in a log, a table as CSV."""

import csv
import math
from pathlib import Path
from typing import Any

from doamc.errors import RecordingError
from doamc.estimates.border import MAX_SOURCES
from doamc.estimates.record import read_records
from doamc.estimates.truth import Truth
from doamc.files.small_file import read_json
from doamc.protocol import TRUTH_SCHEMA
from doamc.snapshots.sigmf_files import MAX_TRUTH, Recording
from doamc.text import reason


def read_truth(path: str | Path) -> Truth:
    """Truth of a file, by its suffix.

    ``.json``: an object with ``azimuth_deg`` (a list, constant in time) and optionally ``elevation_deg``, ``power_db``
    and the coupling as ``coupling_re`` and ``coupling_im``. ``.sigmf-meta``: the same, of a recording that was
    simulated. ``.jsonl``: messages ``doamc.truth/1``, among others or not. ``.csv``: a header with ``sample_time`` (s,
    ascending) and columns whose names begin with ``azimuth_deg``, one an emitter, and as many that begin with
    ``elevation_deg`` where elevations are known.
    Raises RecordingError when the file cannot be read, holds no direction or one that is no finite number.
    """
    path = Path(path)
    readers = {".json": _of_json, ".sigmf-meta": _of_recording, ".jsonl": _of_log, ".csv": _of_csv}
    if path.suffix not in readers:
        raise RecordingError(f"expected a truth file {', '.join(readers)}, found {path.name}")
    truth = Truth()
    try:
        for message in readers[path.suffix](path):
            truth.add(message)
    except RecordingError:
        raise
    except OSError as error:
        raise RecordingError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, csv.Error) as error:
        what = f"expected directions in degrees in {path}, found something else"
        raise RecordingError(f"{what} ({reason(error)})") from error
    if not truth.known:
        raise RecordingError(f"expected at least one azimuth_deg in {path}, found none")
    return truth


def _of_json(path: Path) -> list[dict[str, Any]]:
    return [_checked(read_json(path, RecordingError, MAX_TRUTH))]


def _of_recording(path: Path) -> list[dict[str, Any]]:
    truth = Recording(path, verify=False).truth
    return [_checked({"azimuth_deg": []} | {k: v for k, v in truth.items() if k != "sample_time"})]


def _of_log(path: Path) -> list[dict[str, Any]]:
    return [_checked(m) for m in read_records(path) if m["schema"] == TRUTH_SCHEMA]


def _of_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file, skipinitialspace=True)
        names = [n for n in rows.fieldnames or [] if n.startswith("azimuth_deg")]
        above = [n for n in rows.fieldnames or [] if n.startswith("elevation_deg")]
        tables = []
        for row in rows:
            table: dict[str, Any] = {"sample_time": row["sample_time"], "azimuth_deg": [row[n] for n in names]}
            tables.append(_checked(table | ({"elevation_deg": [row[n] for n in above]} if above else {})))
        return tables


def _checked(table: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(table["azimuth_deg"], list) or len(table["azimuth_deg"]) > MAX_SOURCES:
        raise ValueError(f"azimuth_deg is no list of at most {MAX_SOURCES}")
    known = {"azimuth_deg": [_finite(a) for a in table["azimuth_deg"]]}
    if (told := table.get("elevation_deg")) is not None:
        if not isinstance(told, list) or len(told) != len(known["azimuth_deg"]):
            raise ValueError("elevation_deg is no list as long as azimuth_deg")
        known["elevation_deg"] = [_finite(e) for e in told]
        if any(abs(e) > 90 for e in known["elevation_deg"]):
            raise ValueError("an elevation lies beyond 90 degrees")
    time_s = table.get("sample_time")
    return table | known | {"sample_time": 0.0 if time_s is None else _finite(time_s)}


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not finite")
    return number
