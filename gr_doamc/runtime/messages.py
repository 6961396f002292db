"""What travels between the blocks: batches of snapshots and plain dictionaries as PMT.

A batch is a PMT dict: ``snapshots`` (c32vector of N L samples: stream 0's L samples, then stream 1's, ...) and the
keys of `Batch`. GNU Radio's own conversions copy a uniform vector sample by sample (200 us for 16 kB); building and
reading its serialised form instead costs a tenth, and uses nothing but documented calls.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pmt

from doamc.errors import SnapshotError
from doamc.text import SHOWN, one_line

#: tag that our sources put where samples of another capture begin: the number of that sample in the source's stream
CAPTURE = "doamc_capture"
# Serialised uniform vector: tag, element type, big-endian count, one byte of padding length (1), padding, then data.
_UNIFORM, _C32, _HEADER = 0x0A, 0x0A, 8


@dataclass(frozen=True)
class Batch:
    """L snapshots of N streams with what is known about them; they become elements in the estimator.

    snapshots: (N, L) complex64. seq: number of the batch, from 0, counting every one cut from the stream.
    sample_time: stream time of the first snapshot, s. sample_rate: rate of the stream that it was cut from, Hz.
    rx_time: time of the first snapshot by the receiver's clock, s (None without ``rx_time`` tags). frequency_hz:
    centre frequency (None without ``rx_freq`` tags). array: name of the array specification, "" when not told.
    time: Unix time at which the batch was complete, s.
    """

    snapshots: np.ndarray
    seq: int
    sample_time: float
    sample_rate: float
    rx_time: float | None
    frequency_hz: float | None
    array: str
    time: float


_META = [f.name for f in fields(Batch) if f.name != "snapshots"]
_KEYS = {name: pmt.intern(name) for name in ["snapshots", "n_elements", "n_snapshots", *_META]}


def c32_to_pmt(samples: np.ndarray) -> Any:
    """PMT c32vector of a complex array, in row-major order."""
    data = np.ascontiguousarray(samples, dtype=">c8")
    return pmt.deserialize_str(bytes([_UNIFORM, _C32]) + data.size.to_bytes(4, "big") + b"\x01\x00" + data.tobytes())


def c32_from_pmt(vector: Any) -> np.ndarray:
    """Samples of a PMT c32vector, complex64, a copy."""
    return np.frombuffer(pmt.serialize_str(vector), ">c8", offset=_HEADER).astype(np.complex64)


def batch_to_pmt(batch: Batch) -> Any:
    """PMT dict of a batch."""
    n_elements, n_snapshots = batch.snapshots.shape
    message = pmt.dict_add(pmt.make_dict(), _KEYS["snapshots"], c32_to_pmt(batch.snapshots))
    message = pmt.dict_add(message, _KEYS["n_elements"], pmt.from_long(n_elements))
    message = pmt.dict_add(message, _KEYS["n_snapshots"], pmt.from_long(n_snapshots))
    for name in _META:
        message = pmt.dict_add(message, _KEYS[name], pmt.to_pmt(getattr(batch, name)))
    return message


def batch_from_pmt(message: Any) -> Batch:
    """Batch of a PMT dict; all but ``snapshots``, ``n_elements`` and ``seq`` may be missing.

    Raises SnapshotError when it is no such dict or the number of samples is not a multiple of the elements.
    """
    if not pmt.is_dict(message):
        found = one_line(message, SHOWN)
        raise SnapshotError(f"expected a PMT dict of snapshots, found {found}; connect a snapshot_buffer")

    def value(name: str, default: Any = None) -> Any:
        return pmt.to_python(pmt.dict_ref(message, _KEYS[name], pmt.to_pmt(default)))

    vector = pmt.dict_ref(message, _KEYS["snapshots"], pmt.PMT_NIL)
    if not pmt.is_c32vector(vector):
        raise SnapshotError(f"expected a c32vector under 'snapshots', found {one_line(vector, SHOWN)}")
    samples, n_elements, seq = c32_from_pmt(vector), value("n_elements"), value("seq")
    if not isinstance(n_elements, int) or n_elements < 1 or samples.size < 1 or samples.size % n_elements:
        raise SnapshotError(f"expected n_elements >= 1 that divides {samples.size} samples, found {n_elements!r}")
    if not isinstance(seq, int):
        raise SnapshotError(f"expected an integer seq, found {seq!r}")
    return Batch(
        samples.reshape(n_elements, -1), seq, float(value("sample_time", 0.0)), float(value("sample_rate", 0.0)),
        value("rx_time"), value("frequency_hz"), str(value("array", "")), float(value("time", 0.0)),
    )  # fmt: skip
