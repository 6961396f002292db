"""What an input is told apart by, wherever it lies: a digest of its size and of what stands at some places of it.

A whole petabyte cannot be read only to name it. Two inputs that agree at all of these places are taken for the same.
"""

import hashlib

import numpy as np

from doamc.snapshots.npz import SnapshotFile
from doamc.snapshots.segments import Capture

#: places of a capture that are read, and samples of each channel there
_PLACES, _SAMPLES = 16, 256


def input_digest(file: Capture | SnapshotFile) -> str:
    """32 hexadecimal digits: of a capture's form, segments and samples at 16 places; of an .npz file's checksums.

    Raises RecordingError or SnapshotError when it cannot be read.
    """
    if isinstance(file, SnapshotFile):
        told = f"{file.shape} {file.checksums}"
        return hashlib.sha256(told.encode()).hexdigest()[:32]
    marks = [(s.start, s.stop, s.frequency_hz, s.begins_s, s.time) for s in file.segments]
    digest = hashlib.sha256(f"{file.n_channels} {file.n_samples} {file.sample_rate_hz} {marks}".encode())
    count = min(_SAMPLES, file.n_samples)
    for start in np.unique(np.linspace(0, file.n_samples - count, _PLACES).astype(np.int64)):
        digest.update(file.read(int(start), count).tobytes())
    return digest.hexdigest()[:32]
