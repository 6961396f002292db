"""What a recorder that was killed, or could not finish, left behind becomes a recording."""

import subprocess
import sys

import numpy as np
import pytest

from doamc.cli import main
from doamc.errors import RecordingError
from doamc.snapshots.batch_record import BatchRecorder
from doamc.snapshots.journal import parts_of, recover
from doamc.snapshots.sigmf_files import Recording
from tests.doamc.snapshots.batches import batch

KILLED = """
import sys, time
from doamc.snapshots.batch_record import BatchRecorder
from tests.doamc.snapshots.batches import batch
record = BatchRecorder(sys.argv[1], array="ula4")
k = 0
while True:
    record.write(batch(k), k, 0.5 * k, 2e4, 433.9e6)
    record.annotate([{"core:sample_start": 50 * k, "core:sample_count": 50, "doamc:seq": k}])
    k += 1
    k == 20 and print(k, flush=True)
"""


@pytest.fixture
def torn(tmp_path, child):
    """The path of a recording whose recorder was killed while it wrote its batches."""
    path = tmp_path / "a.sigmf-meta"
    recorder = child([sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE)
    assert recorder.stdout.readline() == b"20\n"
    with pytest.raises(RecordingError, match="somebody else"):
        recover(path)  # not while it lives
    recorder.kill()
    recorder.wait(60)
    return path


def check_torn(path):
    recording = Recording(path)
    count = recording.n_samples // 50
    assert count >= 20 and recording.n_samples == 50 * count and recording.array == "ula4"
    assert np.array_equal(recording.cut(count, 50), [batch(k) for k in range(count)])
    assert [c["doamc:seq"] for c in recording.metadata["captures"]] == list(range(count))
    assert count - 1 <= len(recording.metadata["annotations"]) <= count


def test_what_a_killed_recorder_wrote_is_recovered_by_the_command(torn, capsys):
    assert main(["recover", str(torn)]) == 0
    found = torn.with_name("a-torn.sigmf-meta")
    assert capsys.readouterr().out == f"{found}\n"
    check_torn(found)
    assert sorted(p.name for p in torn.parent.iterdir()) == ["a-torn.sigmf-data", "a-torn.sigmf-meta"]
    assert main(["recover", str(torn)]) == 2 and "found none" in capsys.readouterr().err


def test_the_next_recorder_recovers_before_it_begins(torn):
    torn.with_name("a-torn.sigmf-meta").write_text("an earlier one")
    with BatchRecorder(torn) as record:
        record.write(batch(0), 0, 0.0, 1e4)
        assert record.recovered == torn.with_name("a-torn-2.sigmf-meta")
    check_torn(record.recovered)
    assert Recording(torn).n_samples == 50


def test_a_torn_journal_costs_its_last_batch(torn):
    journal, samples = parts_of(torn)
    lines = journal.read_bytes().splitlines(keepends=True)
    captures = [k for k, line in enumerate(lines) if line.startswith(b'{"capture"')]
    journal.write_bytes(b"".join(lines[: captures[10]]) + lines[captures[10]][:30])
    recording = Recording(recover(torn))
    assert recording.n_samples == 500 and len(recording.metadata["annotations"]) == 10
    assert not journal.exists() and not samples.exists()


def test_parts_without_a_batch_leave_nothing_and_those_without_a_journal_are_left(tmp_path):
    path = tmp_path / "a.sigmf-meta"
    journal, samples = parts_of(path)
    journal.write_text('{"global": {"core:num_channels": 2, "doamc:batch_length": 10}}\n')
    samples.write_bytes(b"\0" * 100)
    assert recover(path) is None and list(tmp_path.iterdir()) == []
    samples.write_bytes(b"\0" * 100)
    with pytest.raises(RecordingError, match="expected a journal"):
        BatchRecorder(path)
    assert [p.name for p in tmp_path.iterdir()] == [samples.name]


def test_metadata_that_cannot_be_written_leave_the_parts_for_later(tmp_path):
    path = tmp_path / "a.sigmf-meta"
    record = BatchRecorder(path)
    record.write(batch(0), 0, 0.0, 1e4)
    path.mkdir()  # in the way
    with pytest.raises(RecordingError, match=r"doamc recover .*a\.sigmf-meta"):
        record.close()
    path.rmdir()
    assert np.array_equal(Recording(recover(path)).cut(1, 50), [batch(0)])
