"""A capture from end to end: segments, numbers of signals, refusals."""

import numpy as np
import pytest

from doamc.bands.finder import SignalFinder
from doamc.bands.scan import scan
from doamc.bands.simulated.capture import receive_band
from doamc.bands.simulated.scene import BandScene
from doamc.errors import RecordingError
from doamc.snapshots.segments import Capture, Segment
from doamc.spec import load_spec
from tests.doamc.bands.captures import CENTRE_HZ, RATE_HZ, emitter


class Memory(Capture):
    """Samples in memory, in two segments of other frequencies with a second between them."""

    def __init__(self, y: np.ndarray, rate_hz: float | None) -> None:
        super().__init__()
        self.y, self.path, self.sample_rate_hz = y, "memory", rate_hz
        self.n_channels, self.n_samples = y.shape
        half = self.n_samples // 2
        self.segments = [
            Segment(0, half, CENTRE_HZ, 0.0, 100.0), Segment(half, self.n_samples, CENTRE_HZ + 1e6, 1.3, 101.3)
        ]  # fmt: skip

    def read(self, start, count):
        return self.y[:, start : start + count]


def capture(rate_hz=RATE_HZ):
    one = emitter("4fsk", 30e3, 12.5e3, 20.0, 15.0, ((0.1, 0.2), (0.4, 0.6)))
    return Memory(receive_band(load_spec("ula4"), BandScene(CENTRE_HZ, RATE_HZ, 0.6, 1, (one,))), rate_hz)


def test_a_segment_of_another_frequency_begins_anew():
    read = []
    found = list(scan(capture(), lambda g: SignalFinder(g, 4), 6250.0, 0.02, done=read.append))
    assert sum(read) == capture().n_samples
    assert [f.signal.id for f in found] == [1, 2]
    assert [f.segment.begins_s for f in found] == [0.0, 1.3]
    assert abs(found[1].signal.frequency_hz - found[0].signal.frequency_hz - 1e6) < 500
    assert abs(found[1].signal.start_s - 0.1) < 0.01  # in its segment


def test_a_frequency_that_is_told_counts_for_all():
    found = list(scan(capture(), lambda g: SignalFinder(g, 4), 6250.0, 0.02, frequency_hz=433e6))
    assert all(abs(f.signal.frequency_hz - 433e6 - 30e3) < 1e3 for f in found)


def test_without_a_sample_rate_there_is_no_scan():
    with pytest.raises(RecordingError, match="--sample-rate"):
        list(scan(capture(None), lambda g: SignalFinder(g, 4), 6250.0, 0.02))
