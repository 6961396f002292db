"""Estimates as a Parquet file, a row for each batch: what archives are estimated into.

Columns have the names and units of an .npz file of estimates (`estimates.estimate_file`), one entry a batch: lists hold
as many values as the batch has sources; ``doa_interval_deg`` and ``bearing_interval_deg`` are two columns, ``_low`` and
``_high``; complex matrices are two columns, ``_re`` and ``_im``, row after row. Before them stand ``batch``, its
number, ``start_s``, stream time, ``time``, Unix time in s, and ``frequency_hz``. All files have all columns; what is
not known is null. Every chunk is a row group of its own, so that a file is the same however the work was cut. The key
``doamc`` of the file's metadata is JSON: how it was made.
"""

import json
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

_REAL, _REALS, _ROWS = pa.float64(), pa.list_(pa.float64()), pa.list_(pa.list_(pa.float64()))
#: columns of .npz files whose last axis counts the sources of a batch
_BY_SOURCE = ("doa_deg", "doa_std_deg", "power_db", "elevation_deg", "mode_doa_deg", "mode_std_deg", "bearing_deg")
_INTERVALS = ("doa_interval_deg", "bearing_interval_deg", "model_error_interval_db")
_COLUMNS = {
    "batch": pa.int64(), "start_s": _REAL, "time": _REAL, "frequency_hz": _REAL, "n_sources": pa.int64(),
    "doa_deg": _REALS, "doa_std_deg": _REALS, "doa_interval_deg_low": _REALS, "doa_interval_deg_high": _REALS,
    "elevation_deg": _REALS, "bearing_deg": _REALS, "bearing_interval_deg_low": _REALS,
    "bearing_interval_deg_high": _REALS, "power_db": _REALS, "noise_power": _REAL, "coupling_re": _REALS,
    "coupling_im": _REALS, "coupling_std": _REALS, "mode_doa_deg": _ROWS, "mode_std_deg": _ROWS, "mode_share": _REALS,
    "effective_snapshots": _REAL, "model_error_db": _REAL, "model_error_interval_db_low": _REAL,
    "model_error_interval_db_high": _REAL, "left_out": pa.int64(), "offset_removed": pa.bool_(), "log_evidence": _REALS,
    "fit_misfit": _REAL, "fit_probability": _REAL, "fit_doubtful": pa.bool_(), "fit_cause": pa.string(),
    "fit_prior": pa.string(), "fit_model": pa.string(),
}  # fmt: skip


class EstimateTable:
    """Writes such a file, chunk after chunk; a context manager.

    file: opened for writing. made: how the file was made, plain values.
    """

    def __init__(self, file: IO[bytes], made: Mapping[str, Any]) -> None:
        self._schema = pa.schema(list(_COLUMNS.items()), {"doamc": json.dumps(made, sort_keys=True)})
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")

    def append(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Add a chunk: `estimate_arrays` and bearings, with batch (B,) and, where told, start_s, time and frequency_hz.

        What is NaN in these three is null.
        """
        flat = dict[str, pa.Array]()
        n_sources = np.asarray(arrays["n_sources"])
        for name, values in arrays.items():
            if name in ("start_s", "time", "frequency_hz"):
                flat[name] = pa.array(values, _REAL, from_pandas=True)
            elif name in _INTERVALS:
                for k, end in enumerate(("low", "high")):
                    flat[f"{name}_{end}"] = _column(values[..., k], n_sources if values.ndim == 3 else None)
            elif np.iscomplexobj(values):
                flat[f"{name}_re"], flat[f"{name}_im"] = _column(_row(values.real)), _column(_row(values.imag))
            elif name == "coupling_std":
                flat[name] = _column(_row(values))
            elif name in _COLUMNS:
                flat[name] = _column(values, n_sources if name in _BY_SOURCE else None)
        size = len(n_sources)
        columns = [flat[f.name].cast(f.type) if f.name in flat else pa.nulls(size, f.type) for f in self._schema]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema), row_group_size=size)

    def __enter__(self) -> "EstimateTable":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()


def read_provenance(path: Any) -> dict[str, Any]:
    """How a file was made."""
    return json.loads(pq.read_schema(path).metadata[b"doamc"])


def _row(matrices: NDArray[Any]) -> NDArray[Any]:
    return matrices.reshape(len(matrices), -1)


def _column(values: NDArray[Any], counts: Sequence[int] | NDArray[Any] | None = None) -> pa.Array:
    """Values (B,), or lists of (B, K), or rows of (B, M, K), each cut to its batch's count where counts are given."""
    if values.ndim == 1:
        return pa.array(values.tolist() if values.dtype.kind == "U" else values)
    width = values.shape[-1]
    held = np.full(len(values), width) if counts is None else np.minimum(counts, width)
    if values.ndim == 3:
        rows = values.shape[1]
        inner = _column(values.reshape(-1, width), np.repeat(held, rows))
        return pa.ListArray.from_arrays(pa.array(np.arange(0, len(inner) + 1, rows), pa.int32()), inner)
    offsets = np.concatenate([[0], np.cumsum(held)])
    kept = np.arange(width) < np.asarray(held)[:, None]
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values[kept]))
