"""Calibrations as TOML files, which people can read and mend; numbers survive the way there and back unchanged."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.calibration.channels import ChannelCalibration
from doamc.errors import CalibrationError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CHANNELS_SCHEMA, COUPLING_SCHEMA = "doamc.channels/1", "doamc.coupling/1"


def save_channels(path: str | Path, calibration: ChannelCalibration) -> None:
    """Write a calibration of the channels; the file appears whole or not at all. Raises RecordingError if it cannot."""
    entries = {
        "schema": CHANNELS_SCHEMA, "time": time.time(), "note": calibration.note, "n_samples": calibration.n_samples,
        "ratio_db": calibration.ratio_db, "lag_samples": calibration.lag_samples.tolist(),
        "phase_std_deg": calibration.phase_std_deg.tolist(),
        "gain_re": calibration.gains.real.tolist(), "gain_im": calibration.gains.imag.tolist(),
    }  # fmt: skip
    _write(path, "Gains and lags of the channels relative to channel 0", entries)


def load_channels(path: str | Path, n_channels: int | None = None) -> ChannelCalibration:
    """Read a calibration of the channels. Raises CalibrationError when it is none, or of another number of channels."""
    table = _read(path, CHANNELS_SCHEMA)
    try:
        gains = np.array(table["gain_re"], float) + 1j * np.array(table["gain_im"], float)
        lags, std = np.array(table["lag_samples"]), np.array(table["phase_std_deg"], float)
        kind = lags.dtype.kind == "i" and gains.ndim == 1 and gains.shape == lags.shape == std.shape
        if not kind or gains.size < 2 or not np.isfinite(gains).all() or not np.abs(gains).min() > 0:
            raise ValueError("gains, lags and deviations of as many channels, two at least, are expected")
        made = ChannelCalibration(
            gains, lags.astype(np.int64), float(table["ratio_db"]), std, int(table["n_samples"]), str(table["note"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CalibrationError(f"{path}: not a calibration of channels ({error}); align again") from error
    if n_channels not in (None, gains.size):
        raise CalibrationError(f"{path}: expected {n_channels} channels, found {gains.size}; align again")
    return made


def save_coupling(
    path: str | Path,
    coupling: NDArray[Any],  # shape: (N, N)
    regularisation: float = 0.0,
    note: str = "",
) -> None:
    """Write a coupling matrix and the regularisation to invert it with. Raises RecordingError if it cannot."""
    c = np.asarray(coupling, complex)
    entries = {
        "schema": COUPLING_SCHEMA, "time": time.time(), "note": note, "regularisation": float(regularisation),
        "re": c.real.tolist(), "im": c.imag.tolist(),
    }  # fmt: skip
    _write(path, "Mutual coupling, rows of its real and imaginary parts, mean diagonal 1", entries)


def load_coupling(path: str | Path, n_channels: int | None = None) -> tuple[NDArray[np.complex128], float | None]:
    """Read a coupling matrix (N, N), scaled to mean diagonal 1, and its regularisation, None where it has none.

    A file that ends in .npz is one of ``doamc estimate``; the mean of its estimates is taken. Raises CalibrationError
    when the file holds no such matrix, or one of another size.
    """
    regularisation = None
    if Path(path).suffix == ".npz":
        matrix = _mean_estimate(path)
    else:
        table = _read(path, COUPLING_SCHEMA)
        try:
            matrix = np.array(table["re"], float) + 1j * np.array(table["im"], float)
            regularisation = float(table["regularisation"])
        except (KeyError, TypeError, ValueError) as error:
            raise CalibrationError(f"{path}: not a coupling matrix ({error})") from error
    n = len(matrix) if n_channels is None else n_channels
    mean = np.trace(matrix) / n if matrix.shape == (n, n) else 0
    if n < 2 or not np.isfinite(matrix).all() or mean == 0:
        raise CalibrationError(f"{path}: expected a finite {n} x {n} matrix with a diagonal, found {matrix.shape}")
    return matrix / mean, regularisation


def _mean_estimate(path: str | Path) -> NDArray[np.complex128]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            matrices = np.asarray(archive["coupling"], complex)
    except (OSError, KeyError, ValueError, EOFError) as error:
        raise CalibrationError(f"{path}: expected estimates with an array 'coupling' ({error})") from error
    matrices = matrices.reshape(-1, *matrices.shape[-2:]) if matrices.ndim >= 2 else np.empty((0, 0, 0))
    known = matrices[np.isfinite(matrices).all((1, 2))]
    if not len(known):
        raise CalibrationError(f"{path}: expected couplings (B, N, N), found none; use a method that estimates them")
    return known.mean(0)


def _write(path: str | Path, title: str, entries: dict[str, Any]) -> None:
    from doamc.snapshots.atomic import whole_file  # late: its package loads torch, and blocks import this file

    # What is written here, strings, numbers and lists of them, is spelt the same in JSON and in TOML.
    lines = [f"# {title}", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entries.items())]
    with whole_file(path) as file:
        file.write(("\n".join(lines) + "\n").encode())


def _read(path: str | Path, schema: str) -> dict[str, Any]:
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise CalibrationError(f"cannot read {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CalibrationError(f"{path}: not a TOML file ({error})") from error
    if table.get("schema") != schema:
        raise CalibrationError(f"{path}: expected schema {schema!r}, found {table.get('schema', 'none')!r}")
    return table
