"""A capture from its first sample to its last: every signal in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from doamc.bands.finder import SignalFinder
from doamc.bands.grid import BandGrid
from doamc.bands.signal import Signal
from doamc.errors import RecordingError
from doamc.snapshots.segments import Capture, Segment

BLOCK = 1 << 20  #: samples of all channels together that are read at once


@dataclass(frozen=True)
class Found:
    """A signal of a capture, and the segment that it was found in."""

    signal: Signal
    segment: Segment


def scan(
    capture: Capture, make_finder: Callable[[BandGrid], SignalFinder], resolution_hz: float, slice_s: float,
    frequency_hz: float | None = None, done: Callable[[int], object] = lambda samples: None,
    remarks: list[str] | None = None,
) -> Iterator[Found]:  # fmt: skip
    """Signals of a capture as they end. A segment that was received at another frequency begins anew.

    frequency_hz: in place of what the capture tells. done: told how many samples were read. remarks: takes lines of
    what the receiver made itself. Raises RecordingError where no sample rate is told, SnapshotError as `BandGrid` does.
    """
    if capture.sample_rate_hz is None:
        raise RecordingError(f"{capture.path}: expected a sample rate, found none; tell it with --sample-rate")
    count = max(1, BLOCK // capture.n_channels)
    first = 0
    for segment in capture.segments:
        centre = frequency_hz if frequency_hz is not None else segment.frequency_hz
        finder = make_finder(BandGrid(capture.sample_rate_hz, centre or 0.0, resolution_hz, slice_s))
        finder.last_id = first
        for start in range(segment.start, segment.stop, count):
            stop = min(segment.stop, start + count)
            for changed in finder.push(capture.read(start, stop - start)):
                yield from (Found(s, segment) for s in changed if s.ended)
            done(stop - start)
        yield from (Found(s, segment) for s in finder.finish())
        first = finder.last_id
        if remarks is not None:
            remarks += [line for line in finder.artefacts.remarks() if line not in remarks]
