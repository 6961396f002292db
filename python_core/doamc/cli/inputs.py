"""Inputs of the command line: .npz files and captures behind one face, read a few batches at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import SnapshotError
from doamc.snapshots.captures import is_capture, open_capture
from doamc.snapshots.channel_order import channel_order
from doamc.snapshots.npz import SnapshotFile
from doamc.snapshots.raw_files import RawForm
from doamc.snapshots.segments import Capture, check_sizes
from doamc.spec import ArraySpec

#: snapshots a batch and batches where a capture is read and nothing else is asked
DEFAULT_SNAPSHOTS, DEFAULT_BATCHES = 256, 100
#: entries that the coupling matrices of all batches together may have, where all are kept
MAX_KEPT = 1 << 24


@dataclass(frozen=True)
class Input:
    """Batches of snapshots: shape (B, N, L); blocks(size) gives them `size` at a time, each (b, N, L).

    channels: element of the array that each channel comes from. What is not told is None; of each batch: noise_power
    (B,); start_s, stream time in s, gaps included; played_s, the same without the gaps; time, Unix time in s;
    frequency_hz, NaN where a batch has none; places, latitude and longitude, degrees, or None. remarks: lines that a
    user should read once.
    """

    shape: tuple[int, int, int]
    blocks: Callable[[int], Iterator[NDArray[Any]]]
    channels: tuple[int, ...]
    noise_power: NDArray[Any] | None = None
    start_s: NDArray[Any] | None = None
    played_s: NDArray[Any] | None = None
    time: NDArray[Any] | None = None
    frequency_hz: NDArray[Any] | None = None
    sample_rate_hz: float | None = None
    remarks: tuple[str, ...] = ()
    places: Sequence[tuple[float, float] | None] | None = None

    def keep(self, elements: list[int]) -> "Input":
        """The same input with the channels of these elements only, in their order."""
        shape, rows = (self.shape[0], len(elements), self.shape[2]), [self.channels.index(m) for m in elements]
        left = tuple(range(len(elements)))
        return replace(self, shape=shape, channels=left, blocks=lambda size: (b[:, rows] for b in self.blocks(size)))

    def frequency_of(self, batch: int) -> float | None:
        """Centre frequency of a batch, Hz, or None."""
        told = None if self.frequency_hz is None else float(self.frequency_hz[batch])
        return None if told is None or np.isnan(told) else told


def open_input(
    path: str, spec: ArraySpec, snapshots: int | None, batches: int | None, every: bool = False,
    form: RawForm | None = None, positions: bool = True,
) -> Input:  # fmt: skip
    """Open an input of an array.

    snapshots, batches: L and B where they are given. every: the batches are used one after the other: of a capture take
    as many as it holds. form: what a user says of the capture; its frequency replaces what is told. positions: those of
    the antennas, where they are told, are held against the array (`doamc.spec.positions`).
    Raises SnapshotError or RecordingError when it cannot be read, has other channels than the array, is too short, or
    would take more memory than `check_sizes` and, unless `every`, `MAX_KEPT` allow.
    """
    form = form or RawForm()
    file = open_file(path, spec, form)
    if isinstance(file, SnapshotFile):
        opened = _archive(file, spec, snapshots, batches)
    else:
        opened = _capture(file, spec, snapshots, batches, every)
    if positions:
        channels, remark = channel_order(file, spec, form.frequency_hz)
        opened = replace(opened, channels=channels, remarks=opened.remarks + ((remark,) if remark else ()))
    check_sizes(path, *opened.shape)
    if not every and opened.shape[0] * opened.shape[1] ** 2 > MAX_KEPT:
        most = MAX_KEPT // opened.shape[1] ** 2
        raise SnapshotError(f"{path}: expected at most {most} batches, found {opened.shape[0]}; see --batches")
    if form.frequency_hz is not None:
        opened = replace(opened, frequency_hz=np.full(opened.shape[0], form.frequency_hz))
    return opened


def open_file(path: str, spec: ArraySpec, form: RawForm, verify: bool = True) -> Capture | SnapshotFile:
    """The file of an input of an array. form, verify: see `open_capture`.

    Raises SnapshotError or RecordingError when it cannot be read or has other channels than the array.
    """
    if is_capture(path, form):
        return open_capture(path, spec.n_elements, form, verify)
    form.check_unused(path)
    file = SnapshotFile(path)
    if file.shape[1] != spec.n_elements:
        found = f"{file.shape[1]} (snapshots {file.shape})"
        raise SnapshotError(f"{file.path}: expected {spec.n_elements} channels for array {spec.name}, found {found}")
    return file


def archive_shape(file: SnapshotFile, snapshots: int | None, batches: int | None) -> tuple[int, int, int]:
    """Shape (B, N, L) of what is taken of a file. Raises SnapshotError where it holds less than is asked."""
    for name, asked, held in (("snapshots a batch", snapshots, file.shape[2]), ("batches", batches, file.shape[0])):
        if asked is not None and asked > held:
            raise SnapshotError(f"{file.path}: expected at least {asked} {name}, found {held}")
    return (batches or file.shape[0], file.shape[1], snapshots or file.shape[2])


def capture_shape(file: Capture, snapshots: int | None, batches: int | None, every: bool) -> tuple[int, int, int]:
    """Shape (B, N, L) of what is taken of a capture; see `open_input`."""
    longest = max(segment.stop - segment.start for segment in file.segments)
    length = snapshots or min(DEFAULT_SNAPSHOTS, longest)
    fit = max(1, file.capacity(length))
    return (batches or (fit if every else min(DEFAULT_BATCHES, fit)), file.n_channels, length)


def _archive(file: SnapshotFile, spec: ArraySpec, snapshots: int | None, batches: int | None) -> Input:
    shape = archive_shape(file, snapshots, batches)

    def blocks(size: int) -> Iterator[NDArray[Any]]:
        left = shape[0]
        for block in file.blocks(min(size, left)):
            yield block[:left, :, : shape[2]]
            left -= len(block)
            if left <= 0:
                return

    return Input(shape, blocks, spec.channels, None if file.noise_power is None else file.noise_power[: shape[0]])


def _capture(file: Capture, spec: ArraySpec, snapshots: int | None, batches: int | None, every: bool) -> Input:
    count, _, length = capture_shape(file, snapshots, batches, every)
    starts = file.starts(count, length)
    return Input(
        (count, file.n_channels, length),
        lambda size: file.blocks(count, length, size),
        spec.channels,
        start_s=file.stream_times_s(starts),
        played_s=None if file.sample_rate_hz is None else starts / file.sample_rate_hz,
        time=file.unix_times(starts),
        frequency_hz=file.frequencies_hz(starts),
        sample_rate_hz=file.sample_rate_hz,
        remarks=tuple(file.remarks),
        places=[file.segments[k].place for k in file.segment_of(starts)],
    )


def as_complex128(block: NDArray[Any]) -> NDArray[np.complex128]:
    """Native, writable complex128 copy: what torch takes without a warning, whatever the file held."""
    return np.array(block, dtype=np.complex128)
