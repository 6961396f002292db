"""JSON-lines log: whole lines, torn ones closed and skipped, full disks said."""

import subprocess
import sys

import pytest

from doamc.errors import RecordingError
from doamc.estimates import Recorder, read_records, status_message


def _message(seq, **extra):
    return status_message(time=1.0, state="running", seq=seq, **extra)


def test_what_is_written_is_read_and_appended_to(tmp_path):
    path = tmp_path / "log.jsonl"
    for first in (0, 2):
        with Recorder(path) as log:
            log.write(_message(first, text="two\nlines, one record"))
            log.write(_message(first + 1))
            assert log.written == 2
    assert [m["seq"] for m in read_records(path)] == [0, 1, 2, 3]
    assert path.read_bytes().count(b"\n") == 4


def test_torn_line_is_closed_and_skipped(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"schema":"doamc.status/1","seq":0}\n{"schema":"doamc.sta')
    with Recorder(path) as log:
        log.write(_message(1))
    assert [m["seq"] for m in read_records(path)] == [0, 1]
    assert len(path.read_bytes().splitlines()) == 3


def test_lines_of_a_killed_writer_are_whole_but_for_the_last_that_may_be_torn(child, tmp_path):
    """The system cuts a write short between two pages when the process is killed in it."""
    path = tmp_path / "log.jsonl"
    code = (
        "import sys\nfrom doamc.estimates import Recorder, status_message\n"
        "r = Recorder(sys.argv[1])\ni = 0\n"
        "while True:\n    r.write(status_message(time=1.0, state='running', seq=i, pad='x' * 3000)); i += 1\n"
        "    i == 50 and print('go', flush=True)\n"
    )
    writer = child([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == "go\n"
    writer.kill()
    writer.wait(60)
    records = [m["seq"] for m in read_records(path)]
    assert len(records) >= 50 and records == list(range(len(records)))
    assert path.read_bytes().count(b"\n") == len(records)


def test_file_that_cannot_be_written_or_read_is_named(tmp_path):
    with pytest.raises(RecordingError, match="cannot write"):
        Recorder(tmp_path / "no" / "log.jsonl")
    with pytest.raises(RecordingError, match="cannot read"):
        list(read_records(tmp_path / "none.jsonl"))


FULL = """
import resource, sys
from doamc.errors import RecordingError
from doamc.estimates import Recorder, status_message
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
written = []
with Recorder(sys.argv[1]) as log:
    for seq in range(20):
        try:
            log.write(status_message(time=1.0, state="running", seq=seq))
            written.append(seq)
        except RecordingError as error:
            assert "cannot write" in str(error), error
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    log.write(status_message(time=1.0, state="running", seq=99))
print(*written)
"""


def test_a_full_disk_costs_lines_but_no_line_is_damaged(tmp_path):
    """A limit on the size of files stands for a full disk, which is cleared at the end."""
    path = tmp_path / "log.jsonl"
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    written = [int(k) for k in done.stdout.split()]
    assert 1 < len(written) < 20
    assert [m["seq"] for m in read_records(path)] == [*written, 99]


def test_a_file_whose_line_never_ends_is_no_log(monkeypatch):
    monkeypatch.setattr("doamc.estimates.record.ENDLESS", 1 << 23)
    with pytest.raises(RecordingError, match="found none that ends"):
        list(read_records("/dev/zero"))
