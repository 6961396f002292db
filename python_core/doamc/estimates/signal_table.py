"""Signals of a band as a Parquet file, a row for each: what archives are scanned into.

Columns have the names, units and structure of ``doamc.signal/1`` (``signal.schema.json``), after ``section``, the
second of the capture at which the scan that found it began: ``id`` and ``track`` count within a section. All files have
all columns; what is not known is null. The key ``doamc`` of the file's metadata is JSON: how it was made.
"""

import io
import json
from collections.abc import Mapping
from itertools import islice
from types import TracebackType
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

_REAL, _REALS = pa.float64(), pa.list_(pa.float64())
_TRACK = {"id": pa.int64(), "azimuth_deg": _REAL, "std_deg": _REAL, "interval_deg": _REALS}
_SOURCE = {
    "azimuth_deg": _REAL, "std_deg": _REAL, "interval_deg": _REALS, "power_db": _REAL, "elevation_deg": _REAL,
    "elevation_std_deg": _REAL, "elevation_interval_deg": _REALS, "bearing_deg": _REAL, "bearing_interval_deg": _REALS,
    "track": pa.struct(list(_TRACK.items())),
}  # fmt: skip
_FIT = {"misfit": _REAL, "probability": _REAL, "doubtful": pa.bool_(), "cause": pa.string()}
_COLUMNS = {
    "section": pa.int64(), "id": pa.int64(), "frequency_hz": _REAL, "bandwidth_hz": _REAL, "start_s": _REAL,
    "stop_s": _REAL, "time": _REAL, "duty": _REAL, "snr_db": _REAL, "snapshots": _REAL, "array": pa.string(),
    "method": pa.string(), "heading_deg": _REAL, "n_sources": pa.int64(),
    "sources": pa.list_(pa.struct(list(_SOURCE.items()))), "fit": pa.struct(list(_FIT.items())), "track": pa.int64(),
    "calibration": pa.struct([("signals", pa.int64())]),
}  # fmt: skip
_ROWS = 1 << 14  #: of a row group


class SignalTable:
    """Writes such a file; a context manager.

    file: opened for writing. made: how the file was made, plain values.
    """

    def __init__(self, file: IO[bytes], made: Mapping[str, Any]) -> None:
        self._schema = pa.schema(list(_COLUMNS.items()), {"doamc": json.dumps(made, sort_keys=True)})
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")

    def append(self, lines: bytes, section: int = 0) -> None:
        """Add the signals of some lines of JSON."""
        text = io.BytesIO(lines)
        while some := [json.loads(line) | {"section": section} for line in islice(text, _ROWS)]:
            self._writer.write_table(pa.Table.from_pylist(some, self._schema), row_group_size=_ROWS)

    def __enter__(self) -> "SignalTable":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
