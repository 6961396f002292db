"""Calibrations as TOML files, which people can read and mend; numbers survive the way there and back unchanged."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.calibration.channels import DEAD, ChannelCalibration
from doamc.calibration.correction import CONDITION
from doamc.errors import CalibrationError, SnapshotError
from doamc.files.atomic import whole_file
from doamc.files.small_file import read_toml
from doamc.snapshots.npz import read_channels, read_coupling
from doamc.text import shown

CHANNELS_SCHEMA, COUPLING_SCHEMA = "doamc.channels/1", "doamc.coupling/1"
LARGEST = 4 << 20  #: bytes of a file; a matrix of 256 elements fits
MAX_LAG = 10**6  #: samples
LARGEST_ENTRY = 1e100  #: of a matrix of any scale; squares of it are still finite
MAX_REGULARISATION = 1e6  #: times the identity, where C has mean diagonal 1


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
        gains = _numbers(table["gain_re"], 1) + 1j * _numbers(table["gain_im"], 1)
        lags, std = np.array(table["lag_samples"]), _numbers(table["phase_std_deg"], 1)
        if lags.dtype.kind != "i" or not gains.shape == lags.shape == std.shape or gains.size < 2:
            raise ValueError("gains, lags and deviations of as many channels, two at least, are expected")
        size = np.abs(gains)
        if not size.min() > DEAD * size.max() or np.abs(lags).max() > MAX_LAG or std.min() < 0:
            raise ValueError(
                f"gains within {-20 * np.log10(DEAD):.0f} dB of each other, lags of at most {MAX_LAG} samples and "
                "deviations >= 0 are expected"
            )
        count, note = table["n_samples"], table["note"]
        if not isinstance(count, int) or not 0 <= count < 2**63 or not isinstance(note, str):
            raise ValueError("a number of samples and a note are expected")
        ratio_db = float(_numbers(table["ratio_db"], 0))
        made = ChannelCalibration(gains, lags.astype(np.int64), ratio_db, std, count, note)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
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
    """Write a coupling matrix between streams, and the regularisation to invert it with.

    Raises RecordingError if it cannot.
    """
    c = np.asarray(coupling, complex)
    entries = {
        "schema": COUPLING_SCHEMA, "time": time.time(), "note": note, "regularisation": float(regularisation),
        "re": c.real.tolist(), "im": c.imag.tolist(),
    }  # fmt: skip
    _write(path, "Mutual coupling, rows of its real and imaginary parts, mean diagonal 1", entries)


def load_coupling(path: str | Path, n_channels: int | None = None) -> tuple[NDArray[np.complex128], float | None]:
    """Read a coupling matrix (N, N), scaled to mean diagonal 1, and its regularisation, None where it has none.

    Rows and columns are the streams of the receiver, as of every calibration. A file that ends in .npz is one of
    ``doamc estimate``: the mean of its estimates is taken, from elements to streams. Raises CalibrationError when the
    file holds no such matrix, or one of another size.
    """
    regularisation = None
    if Path(path).suffix == ".npz":
        matrix = _mean_estimate(path)
    else:
        table = _read(path, COUPLING_SCHEMA)
        try:
            matrix = _numbers(table["re"], 2) + 1j * _numbers(table["im"], 2)
            regularisation = float(_numbers(table["regularisation"], 0))
            if not 0 <= regularisation <= MAX_REGULARISATION:
                raise ValueError(f"a regularisation from 0 to {MAX_REGULARISATION:g} is expected")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise CalibrationError(f"{path}: not a coupling matrix ({error})") from error
    n = len(matrix) if n_channels is None else n_channels
    if n < 2 or matrix.shape != (n, n) or not np.abs(matrix.view(float)).max() < LARGEST_ENTRY:
        raise CalibrationError(f"{path}: expected a finite {n} x {n} matrix with a diagonal, found {matrix.shape}")
    mean, values = np.trace(matrix) / n, np.linalg.svd(matrix, compute_uv=False)
    if not abs(mean) > values[0] / CONDITION or not values[-1] > values[0] / CONDITION:
        raise CalibrationError(
            f"{path}: expected a coupling matrix that can be inverted, and a diagonal, found singular values from "
            f"{values[-1]:.2g} to {values[0]:.2g} and a mean diagonal of {abs(mean):.2g}"
        )
    return matrix / mean, regularisation


def _mean_estimate(path: str | Path) -> NDArray[np.complex128]:
    try:
        matrix = read_coupling(path)
        channels = read_channels(path, len(matrix))
        return matrix[np.ix_(channels, channels)]
    except SnapshotError as error:
        raise CalibrationError(str(error)) from error


def _numbers(value: Any, axes: int) -> NDArray[np.float64]:
    """Finite numbers in so many axes. Raises ValueError, TypeError or OverflowError where they are others."""
    array = np.array(value)
    if array.dtype.kind not in "if" or array.ndim != axes or not np.isfinite(array).all():
        raise ValueError(f"finite numbers in {axes} axes are expected, found {shown(value)}")
    return array.astype(float)


def _write(path: str | Path, title: str, entries: dict[str, Any]) -> None:
    # What is written here, strings, numbers and lists of them, is spelt the same in JSON and in TOML.
    lines = [f"# {title}", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entries.items())]
    with whole_file(path) as file:
        file.write(("\n".join(lines) + "\n").encode())


def _read(path: str | Path, schema: str) -> dict[str, Any]:
    table = read_toml(path, CalibrationError, LARGEST)
    if table.get("schema") != schema:
        raise CalibrationError(f"{path}: expected schema {schema!r}, found {shown(table.get('schema', 'none'))}")
    return table
