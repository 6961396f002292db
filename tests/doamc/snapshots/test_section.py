"""A stretch of a capture: its samples, times and frequencies are those of the whole one."""

import numpy as np
import pytest

from doamc.errors import RecordingError
from doamc.snapshots.captures import open_capture
from doamc.snapshots.section import Section
from doamc.snapshots.segments import Segment


@pytest.fixture
def capture(tmp_path):
    rng = np.random.default_rng(0)
    y = (rng.standard_normal((1000, 2)) + 1j * rng.standard_normal((1000, 2))).astype(np.complex64)
    (tmp_path / "a.cf32").write_bytes(y.tobytes())
    from doamc.snapshots.raw_files import RawForm

    whole = open_capture(tmp_path / "a.cf32", 2, RawForm(sample_rate_hz=100.0))
    whole.segments = [Segment(0, 400, 1e6, 0.0, 50.0), Segment(400, 1000, 2e6, 7.0, 57.0)]  # a gap of 3 s
    return whole


def test_samples_times_and_frequencies_are_those_of_the_whole(capture):
    section = Section(capture, 300, 700)
    assert np.array_equal(section.read(10, 50), capture.read(310, 50))
    assert section.segments == [Segment(0, 100, 1e6, 3.0, 53.0), Segment(100, 400, 2e6, 7.0, 57.0)]
    some = np.array([0, 99, 100, 399])
    for told in ("stream_times_s", "unix_times", "frequencies_hz"):
        assert np.array_equal(getattr(section, told)(some), getattr(capture, told)(some + 300))


def test_a_section_ends(capture):
    with pytest.raises(RecordingError, match=r"within 0\.\.400"):
        Section(capture, 300, 700).read(390, 11)
    assert [s.start for s in Section(capture, 400, 500).segments] == [0]
