"""Inputs of the command line: .npz files and SigMF recordings behind one face, read a few batches at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import SnapshotError
from doamc.snapshots.npz import SnapshotFile
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.sigmf_time import sample_times
from doamc.spec import ArraySpec

#: snapshots a batch and batches where a recording is read and nothing else is asked
DEFAULT_SNAPSHOTS, DEFAULT_BATCHES = 256, 100


@dataclass(frozen=True)
class Input:
    """Batches of snapshots: shape (B, N, L); blocks(size) gives them `size` at a time, each (b, N, L).

    noise_power: (B,) or None. start_s: stream time of each batch in s, or None where there is no sample rate. time_s:
    Unix time of its first sample, NaN or None where the recording is not dated.
    """

    shape: tuple[int, int, int]
    blocks: Callable[[int], Iterator[NDArray[Any]]]
    noise_power: NDArray[Any] | None = None
    start_s: NDArray[Any] | None = None
    time_s: NDArray[Any] | None = None
    sample_rate_hz: float | None = None
    frequency_hz: float | None = None

    def keep(self, channels: list[int]) -> "Input":
        """The same input with these channels only."""
        shape = (self.shape[0], len(channels), self.shape[2])
        return replace(self, shape=shape, blocks=lambda size: (b[:, channels] for b in self.blocks(size)))


def open_input(path: str, spec: ArraySpec, snapshots: int | None, batches: int | None, every: bool = False) -> Input:
    """Open an input of an array.

    snapshots, batches: L and B where they are given. every: of a recording take as many batches as it holds.
    Raises SnapshotError or RecordingError when it cannot be read, has other channels than the array or is too short.
    """
    if Path(path).suffix in (".sigmf-meta", ".sigmf-data"):
        return _recording(Recording(path, spec.n_elements), snapshots or DEFAULT_SNAPSHOTS, batches, every)
    file = SnapshotFile(path)
    if file.shape[1] != spec.n_elements:
        found = f"{file.shape[1]} (snapshots {file.shape})"
        raise SnapshotError(f"{path}: expected {spec.n_elements} channels for array {spec.name}, found {found}")
    for name, asked, held in (("snapshots a batch", snapshots, file.shape[2]), ("batches", batches, file.shape[0])):
        if asked is not None and asked > held:
            raise SnapshotError(f"{path}: expected at least {asked} {name}, found {held}")
    shape = (batches or file.shape[0], file.shape[1], snapshots or file.shape[2])

    def blocks(size: int) -> Iterator[NDArray[Any]]:
        left = shape[0]
        for block in file.blocks(min(size, left)):
            yield block[:left, :, : shape[2]]
            left -= len(block)
            if left <= 0:
                return

    return Input(shape, blocks, None if file.noise_power is None else file.noise_power[: shape[0]])


def _recording(file: Recording, length: int, batches: int | None, every: bool) -> Input:
    fit = max(1, file.n_samples // length)
    count = batches or (fit if every else min(DEFAULT_BATCHES, fit))
    starts, rate = file.starts(count, length), file.sample_rate_hz
    return Input(
        (count, file.n_channels, length),
        lambda size: file.blocks(count, length, size),
        start_s=None if rate is None else starts / rate,
        time_s=None if rate is None else sample_times(file.metadata["captures"], rate, starts),
        sample_rate_hz=rate,
        frequency_hz=file.frequency_hz,
    )


def as_complex128(block: NDArray[Any]) -> NDArray[np.complex128]:
    """Native, writable complex128 copy: what torch takes without a warning, whatever the file held."""
    return np.array(block, dtype=np.complex128)
