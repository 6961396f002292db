"""Which element of an array each channel of a file comes from."""

from doamc.errors import RecordingError, SnapshotError, SpecificationError
from doamc.snapshots.npz import SnapshotFile
from doamc.snapshots.segments import Capture
from doamc.spec import ArraySpec
from doamc.spec.positions import channels_in_metres, channels_in_wavelengths, renumbering


def channel_order(
    file: Capture | SnapshotFile, spec: ArraySpec, frequency_hz: float | None = None
) -> tuple[tuple[int, ...], str | None]:
    """Element of each channel, by the positions that the file tells, else as the array says; and what to say of it.

    frequency_hz: in place of what the file tells. The line is None where positions and array agree.
    Raises RecordingError or SnapshotError where antennas stand otherwise than those of the array.
    """
    try:
        if isinstance(file, SnapshotFile):
            points = file.positions
            channels = spec.channels if points is None else channels_in_wavelengths(spec, points, frequency_hz)
        else:
            points = file.positions_m
            told = frequency_hz or next((s.frequency_hz for s in file.segments if s.frequency_hz), None)
            hertz = [f for f in (told, spec.frequency_hz) if f]
            channels = spec.channels if points is None else channels_in_metres(spec, points, hertz)
    except SpecificationError as error:
        kind = SnapshotError if isinstance(file, SnapshotFile) else RecordingError
        raise kind(f"{file.path}: {error}") from error
    remark = renumbering(spec, channels)
    return channels, remark and f"{file.path}: {remark}"
