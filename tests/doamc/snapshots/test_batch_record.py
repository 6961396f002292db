"""Recorded batches are found again, sample for sample, with their times; on a full disk, too."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from doamc.errors import RecordingError
from doamc.snapshots.batch_record import REMEMBERED, BatchRecorder
from doamc.snapshots.sigmf_files import Recording
from tests.doamc.snapshots.batches import batch


def test_batches_are_cut_again_where_they_were_joined(tmp_path):
    path = tmp_path / "a.sigmf-meta"
    with BatchRecorder(path, array="ula4") as record:
        for k in range(4):
            record.write(batch(k), 10 * k, 0.5 * k, 2e4, 433.9e6, 1767323045.25 + 0.5 * k)
        assert not path.exists()
        assert record.sample_of == {0: 0, 10: 50, 20: 100, 30: 150}
    recording = Recording(path)  # valid SigMF
    assert np.array_equal(recording.cut(4, 50), [batch(k) for k in range(4)])
    assert (recording.sample_rate_hz, recording.frequency_hz, recording.array) == (2e4, 433.9e6, "ula4")
    captures = recording.metadata["captures"]
    assert [c["doamc:seq"] for c in captures] == [0, 10, 20, 30]
    assert captures[1]["core:datetime"] == "2026-01-02T03:04:05.750000Z" and captures[3]["doamc:sample_time"] == 1.5
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.sigmf-data", "a.sigmf-meta"]


def test_beyond_the_limit_batches_are_counted(tmp_path):
    with BatchRecorder(tmp_path / "a.sigmf-meta", limit=2) as record:
        for k in range(5):
            record.write(batch(k), k, 0.0, 1e4)
        assert (record.written, record.left_out) == (2, 3)
    assert Recording(tmp_path / "a.sigmf-meta").n_samples == 100


def test_without_a_batch_nothing_is_left_and_another_shape_is_refused(tmp_path):
    BatchRecorder(tmp_path / "a.sigmf-meta").close()
    assert list(tmp_path.iterdir()) == []
    with BatchRecorder(tmp_path / "b.sigmf-meta") as record:
        record.write(batch(0), 0, 0.0, 1e4)
        with pytest.raises(RecordingError, match=r"shape \(3, 50\), found \(4, 50\)"):
            record.write(batch(1, n=4), 1, 0.0, 1e4)
    with pytest.raises(RecordingError, match="closed"):
        record.write(batch(1), 1, 0.0, 1e4)


def test_places_that_cannot_be_written_are_named(tmp_path):
    for path in (tmp_path / "a.txt", tmp_path / "no" / "a.sigmf-meta"):
        with pytest.raises(RecordingError, match=r"sigmf-meta|no folder"):
            BatchRecorder(path)


def test_two_recorders_of_one_file_do_not_mix(tmp_path):
    with BatchRecorder(tmp_path / "a.sigmf-meta"), pytest.raises(RecordingError, match="somebody else"):
        BatchRecorder(tmp_path / "a.sigmf-meta")


FULL = """
import resource, sys
from doamc.errors import RecordingError
from doamc.snapshots.batch_record import BatchRecorder
from tests.doamc.snapshots.batches import batch
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
refused = 0
with BatchRecorder(sys.argv[1]) as record:
    for k in range(60):
        try:
            record.write(batch(k), k, 0.0, 1e4)
        except RecordingError as error:
            refused += 1
            assert "File too large" in str(error), error
    print(record.written, refused)
"""


def test_on_a_full_disk_what_fits_is_kept_with_its_metadata(tmp_path):
    """A limit on the size of files stands for a full disk: 40 kB hold 33 batches of 1200 bytes less the room kept."""
    path = tmp_path / "a.sigmf-meta"
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    written, refused = (int(k) for k in done.stdout.split())
    assert written + refused == 60 and 15 < written < 33 - 6  # 8 kB of room is more than six batches
    assert np.array_equal(Recording(path).cut(written, 50), [batch(k) for k in range(written)])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.sigmf-data", "a.sigmf-meta"]


def test_memory_does_not_grow_with_a_recording(tmp_path):
    """What is told of batches lies in the journal; an hour of ten a second would take 50 MB."""
    y = batch(0, 2, 4)
    with BatchRecorder(tmp_path / "a.sigmf-meta", 10**6) as record:

        def write(count):
            for k in range(record.written, record.written + count):
                record.write(y, k, 0.1 * k, 1e4)
                record.annotate([{"core:sample_start": 4 * k, "core:sample_count": 4, "doamc:seq": k}])

        tracemalloc.start()
        write(REMEMBERED + 1000)
        before, _ = tracemalloc.get_traced_memory()
        write(2000)
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert after - before < 400_000  # 1.5 MB where captures and annotations are kept; a table may be made larger once
    found = Recording(tmp_path / "a.sigmf-meta")
    assert len(found.metadata["captures"]) == len(found.metadata["annotations"]) == REMEMBERED + 3000
