"""Writing SigMF recordings of an array: interleaved channels, geometry and truth. The keys: see `sigmf_files`."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doamc.angles import circle_deg
from doamc.errors import RecordingError
from doamc.files.atomic import check_named, check_output, whole_file
from doamc.spec import SPEED_OF_LIGHT

#: largest component of an integer recording: a little headroom below full scale
_PEAK = 0.9
_WRITES = {"cf32_le": "<f4", "ci16_le": "<i2", "ci8": "i1"}


def write_recording(
    path: str | Path,
    samples: ArrayLike,  # shape: (N, T), complex
    *,
    sample_rate_hz: float,
    frequency_hz: float,
    positions_wavelengths: ArrayLike | None = None,  # shape: (N, 3)
    array: str | None = None,
    azimuth_deg: ArrayLike | None = None,  # shape: (P,)
    elevation_deg: ArrayLike | None = None,  # shape: (P,)
    power_db: ArrayLike | None = None,  # shape: (P,)
    noise_power: float | None = None,
    coupling: ArrayLike | None = None,  # shape: (N, N), complex
    datatype: str = "cf32_le",
    description: str = "",
    **extra: Any,
) -> None:
    """Write a recording, data first and metadata last, each whole or not at all.

    path: the ``.sigmf-meta`` file; the data go beside it. datatype: ``cf32_le``, ``ci16_le`` or ``ci8``; integers are
    scaled so that the largest component is 0.9 of full scale, and power_db and noise_power with them, so that what is
    written describes the samples as they will be read. extra: further ``doamc:`` keys, plain JSON values.
    Raises RecordingError when shapes or types do not fit or the files cannot be written.
    """
    from sigmf import SigMFFile, hashing

    path = Path(path)
    y = np.asarray(samples)
    check_named(path)
    if path.suffix != ".sigmf-meta" or datatype not in _WRITES:
        raise RecordingError(f"expected a .sigmf-meta file of {', '.join(_WRITES)}, found {path} of {datatype}")
    if y.ndim != 2 or not np.iscomplexobj(y) or not y.size or not np.isfinite(y).all():
        raise RecordingError(f"expected finite complex samples of shape (N, T), found {y.dtype} {y.shape}")
    data = path.with_suffix(".sigmf-data")
    for file in (path, data):
        check_output(file)
    parts = np.stack([y.real.T, y.imag.T], -1)  # (T, N, 2)
    kind, scale = np.dtype(_WRITES[datatype]), 1.0
    if kind.kind == "i":
        full = 2.0 ** (8 * kind.itemsize - 1)
        scale = _PEAK / float(np.abs(parts).max() or 1.0)
        parts = np.round(parts * scale * full)
    raw = np.ascontiguousarray(parts.astype(kind))
    world: dict[str, Any] = {
        "core:datatype": datatype,
        "core:sample_rate": float(sample_rate_hz),
        "core:num_channels": y.shape[0],
        "core:description": description,
        "core:extensions": [
            {"name": "spatial", "version": "1.1.0", "optional": True},
            {"name": "doamc", "version": "0.1.0", "optional": True},
        ],
        "spatial:num_elements": y.shape[0],
        "spatial:channel_index": 0,
        "doamc:sample_count": y.shape[1],
    }
    truth = dict(extra)
    azimuth = None if azimuth_deg is None else np.asarray(azimuth_deg, dtype=float).reshape(-1)
    if array is not None:
        truth["array"] = array
    if azimuth is not None:
        truth["azimuth_deg"] = azimuth.tolist()
    elevation = None if elevation_deg is None else np.asarray(elevation_deg, dtype=float).reshape(-1)
    if elevation is not None:
        truth["elevation_deg"] = elevation.tolist()
    if power_db is not None:
        truth["power_db"] = (np.asarray(power_db, dtype=float).reshape(-1) + 20 * np.log10(scale)).tolist()
    if noise_power is not None:
        truth["noise_power"] = float(noise_power) * scale**2
    if coupling is not None:
        matrix = np.asarray(coupling, dtype=complex)
        truth |= {"coupling_re": matrix.real.tolist(), "coupling_im": matrix.imag.tolist()}
    world |= {f"doamc:{k}": v for k, v in truth.items()}
    capture: dict[str, Any] = {"core:frequency": float(frequency_hz)}
    if positions_wavelengths is not None:
        metres = np.asarray(positions_wavelengths, dtype=float) * (SPEED_OF_LIGHT / frequency_hz)
        capture["spatial:element_geometry"] = [{"point": p.tolist()} for p in metres]
    bearings = [] if azimuth is None else [{"azimuth": circle_deg(-float(a))} for a in azimuth]
    for bearing, above in zip(bearings, () if elevation is None else elevation, strict=False):
        bearing["elevation"] = float(above)
    if len(bearings) == 1:  # the field describes all signals of the capture
        capture["spatial:emitter_bearing"] = bearings[0]
    with whole_file(data) as out:
        out.write(raw.tobytes())
    world["core:sha512"] = hashing.calculate_sha512(data)
    signal = SigMFFile(global_info=world)
    signal.add_capture(0, metadata=capture)
    for bearing in bearings:
        signal.add_annotation(0, y.shape[1], metadata={"spatial:signal_bearing": bearing})
    signal.validate()
    with whole_file(path) as out:
        out.write(signal.dumps(pretty=True).encode())
