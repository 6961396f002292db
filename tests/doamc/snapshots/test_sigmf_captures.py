"""SigMF recordings as others write them: several captures, offsets, foreign bytes, other names."""

import numpy as np
import pytest

from doamc.errors import RecordingError
from doamc.snapshots import sigmf_files
from doamc.snapshots.section import Section
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.sigmf_place import place_of
from tests.doamc.snapshots.recordings import RAMP, capture, edit, save


def test_captures_tell_frequency_and_time_of_their_samples(tmp_path):
    moments = ("2026-01-02T03:04:05.25Z", "2026-01-02T03:04:07.25Z")
    captures = [capture(0, 434e6, core__datetime=moments[0]), capture(60, 868e6, core__datetime=moments[1])]
    r = Recording(save(tmp_path / "r", captures))
    starts = r.starts(3, 25)
    assert starts.tolist() == [0, 35, 60]  # without the border 0, 37 and 75
    assert r.frequencies_hz(starts).tolist() == [434e6, 434e6, 868e6]
    assert r.stream_times_s(starts).tolist() == pytest.approx([0, 0.035, 2.0])
    assert r.unix_times(starts) - 1767323045.25 == pytest.approx([0, 0.035, 2.0], abs=1e-6)
    assert r.sample_at(2.02) == 80 and r.sample_at(1.0) is None


def test_captures_tell_where_they_were_received_else_the_recording_does(tmp_path):
    here, there = ({"type": "Point", "coordinates": [11.5, 48.1 + k, 500.0]} for k in (0.0, 0.1))
    path = save(tmp_path / "r", [capture(0), capture(60, core__geolocation=there)])
    assert [s.place for s in Recording(path).segments] == [None, (48.2, 11.5)]
    edit(path, lambda m: m["global"].update({"core:geolocation": here}))
    recording = Recording(path)
    assert [s.place for s in recording.segments] == [(48.1, 11.5), (48.2, 11.5)]
    assert [s.place for s in Section(recording, 70, 80).segments] == [(48.2, 11.5)]


NO_PLACES = ([], [1], ["a", 2], [181, 0], [0, 91], [True, 0], [None, 0], "ab")


@pytest.mark.parametrize(
    "told", [1, {}, {"type": "Point"}, {"type": "Polygon", "coordinates": [1, 2]},
             *({"type": "Point", "coordinates": c} for c in NO_PLACES)],
)  # fmt: skip
def test_what_is_no_place_is_none(told):
    assert place_of({"core:geolocation": told}) is None


def test_gaps_are_told_by_the_global_index_and_by_our_own_recorder(tmp_path):
    captures = [capture(0, core__global_index=500), capture(50, core__global_index=950)]  # 400 samples lost
    assert Recording(save(tmp_path / "a", captures)).stream_times_s(np.array([50])) == pytest.approx(0.45)
    captures = [capture(0, doamc__sample_time=3.0), capture(50, doamc__sample_time=9.0)]
    assert Recording(save(tmp_path / "b", captures)).stream_times_s(np.array([0, 51])) == pytest.approx([0, 6.001])


def test_an_offset_shifts_all_numbers(tmp_path):
    r = Recording(save(tmp_path / "r", [capture(10**6, 1e8), capture(10**6 + 30, 2e8)], offset=10**6))
    assert [(s.start, s.stop, s.frequency_hz) for s in r.segments] == [(0, 30, 1e8), (30, 100, 2e8)]
    assert np.array_equal(r.read(0, 100), RAMP) and r.remarks == []


def test_annotations_past_the_end_are_told_and_the_rest_is_read(tmp_path):
    r = Recording(save(tmp_path / "r", annotations=[{"core:sample_start": 90, "core:sample_count": 11}]))
    assert r.n_samples == 100 and "annotations reach beyond the data, which end at sample 100" in r.remarks[0]


def test_without_num_channels_there_is_one_as_the_standard_says(tmp_path):
    path = save(tmp_path / "r", num_channels=None, y=RAMP[:1])
    assert Recording(path).n_channels == 1
    with pytest.raises(RecordingError, match=r"no core:num_channels, which stands for 1; add it \(5\)"):
        Recording(path, 5)


def test_foreign_bytes_are_passed_over(tmp_path):
    """The layout of the standard: header_bytes before the samples of their capture, trailing_bytes at the end."""
    raw = RAMP.T.astype("<c8")
    data = b"h" * 10 + raw[:40].tobytes() + b"m" * 7 + raw[40:].tobytes() + b"t" * 5
    captures = [capture(0, core__header_bytes=10), capture(40, core__header_bytes=7)]
    path = save(tmp_path / "r", captures, data=data, trailing_bytes=5, dataset="other.bin")
    r = Recording(path)
    assert r.n_samples == 100
    for start, count in ((0, 100), (39, 2), (40, 60), (0, 40), (41, 1)):
        assert np.array_equal(r.read(start, count), RAMP[:, start : start + count])
    (tmp_path / "other.bin").write_bytes(data[:-1])
    with pytest.raises(RecordingError, match="truncated"):
        Recording(path)


def test_a_sparse_terabyte_is_opened_at_once_and_its_checksum_told(tmp_path):
    path = save(tmp_path / "r", sha512="0" * 128)
    with path.with_suffix(".sigmf-data").open("r+b") as file:
        file.truncate(24 * 2**36)  # 1.5 TiB
    r = Recording(path)
    assert "core:sha512 is not compared, since 1536.0 GiB" in r.remarks[0]
    with pytest.raises(RecordingError, match=r"at most \d+ samples a batch"):
        r.cut(1, 10**8)
    assert r.cut(2, 100).shape == (2, 3, 100)
    assert sigmf_files.MAX_VERIFIED == 2**30
