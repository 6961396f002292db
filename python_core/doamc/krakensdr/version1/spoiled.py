"""Frames as a heimdall server sends them when something is wrong: out of sync, of another shape, without a start."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from doamc.krakensdr.version1.frame import CALIBRATION, DUMMY, Header

Frame = tuple[Header, NDArray[np.complex64]]  #: header, and samples (M, T)


def spoiled(header: Header, samples: NDArray[np.complex64], fault: str | None, rng: np.random.Generator) -> Frame:
    """The frame with a fault in what it says or holds: bad-sync, channels, unsynchronised; as it is with any other."""
    if fault == "bad-sync":
        return replace(header, sync_word=header.sync_word ^ 0xFF), samples
    if fault == "channels":
        samples = samples[:-1] if rng.random() < 0.5 else np.vstack([samples, samples[:1]])
        return replace(header, active_ant_chs=len(samples)), samples
    return _unsynchronised(header, samples, rng) if fault == "unsynchronised" else (header, samples)


def _unsynchronised(header: Header, samples: NDArray[np.complex64], rng: np.random.Generator) -> Frame:
    kind = int(rng.integers(4))
    if kind == 0:
        return replace(header, delay_sync_flag=0, iq_sync_flag=0, sync_state=1), samples
    if kind == 1:
        return replace(header, iq_sync_flag=0, sync_state=4), samples
    if kind == 2:
        return replace(header, frame_type=CALIBRATION, noise_source_state=1), samples
    return replace(header, frame_type=DUMMY, cpi_length=0, sync_state=1), samples[:, :0]
