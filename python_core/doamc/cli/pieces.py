"""An input read in pieces, in memory for a piece alone however long the input is: what tasks of an archive work on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.cli.inputs import archive_shape, capture_shape, open_file
from doamc.errors import RecordingError
from doamc.snapshots.channel_order import channel_order
from doamc.snapshots.digest import input_digest
from doamc.snapshots.npz import SnapshotFile
from doamc.snapshots.raw_files import RawForm
from doamc.snapshots.segments import check_sizes
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class Piece:
    """Batches of an input that follow each other: snapshots (b, N, L); the rest (b,), NaN or None where not told."""

    snapshots: NDArray[Any]
    noise_power: NDArray[Any] | None
    start_s: NDArray[Any] | None
    time: NDArray[Any] | None
    frequency_hz: NDArray[Any] | None


class Pieces:
    """An input of an array, by path or URL.

    snapshots, batches: L and B where they are given; of a capture all are taken that it holds. form, positions: as in
    `doamc.cli.inputs.open_input`. verify: compare the checksum of a recording.
    Attributes: shape (B, N, L); channels, the element of each; remarks.
    Raises SnapshotError or RecordingError as `open_input` does.
    """

    def __init__(
        self, where: str, spec: ArraySpec, snapshots: int | None = None, batches: int | None = None,
        form: RawForm | None = None, positions: bool = True, verify: bool = True,
    ) -> None:  # fmt: skip
        form = form or RawForm()
        self._file = file = open_file(where, spec, form, verify)
        self._frequency_hz = form.frequency_hz
        if isinstance(file, SnapshotFile):
            self.shape, self.remarks = archive_shape(file, snapshots, batches), list[str]()
        else:
            self.shape, self.remarks = capture_shape(file, snapshots, batches, True), list(file.remarks)
            held = file.capacity(self.shape[2])
            if self.shape[0] > held:
                raise RecordingError(
                    f"{where}: expected at least {self.shape[0]} x {self.shape[2]} samples without a gap, found {held} "
                    "such batches; ask for fewer batches or snapshots"
                )
        check_sizes(where, 1, *self.shape[1:])
        self.channels = spec.channels
        if positions:
            self.channels, remark = channel_order(file, spec, form.frequency_hz)
            self.remarks += [remark] if remark else []

    @cached_property
    def digest(self) -> str:
        """What the input is told apart by."""
        return input_digest(self._file)

    def read(self, first: int, count: int) -> Piece:
        """Batches first to first + count, as far as there are."""
        total, _, length = self.shape
        count = min(count, total - first)
        told = None if self._frequency_hz is None else np.full(count, self._frequency_hz)
        file = self._file
        if isinstance(file, SnapshotFile):
            block = next(iter(file.blocks(count, first)))[:count, :, :length]
            noise = None if file.noise_power is None else file.noise_power[first : first + count]
            return Piece(block, noise, None, None, told)
        starts = file.starts_within(range(first, first + count), total, length)
        return Piece(
            file.read_blocks(starts, length), None, file.stream_times_s(starts), file.unix_times(starts),
            file.frequencies_hz(starts) if told is None else told,
        )  # fmt: skip
