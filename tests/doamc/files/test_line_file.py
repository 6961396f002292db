"""Files of lines grow by whole lines, whatever an earlier program left."""

import pytest

from doamc.errors import RecordingError
from doamc.files.line_file import LineFile


def test_lines_are_appended_to_those_that_are_there(tmp_path):
    path = tmp_path / "a.jsonl"
    for first in (1, 3):
        with LineFile(path) as file:
            file.append(b"%d\n" % first)
            file.append(b"%d\n" % (first + 1))
    assert path.read_bytes() == b"1\n2\n3\n4\n"


def test_a_torn_line_is_closed_before_the_next(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"whole":1}\n{"to')
    with LineFile(path) as file:
        file.append(b"next\n")
        file.append(b"last\n")
    assert path.read_bytes() == b'{"whole":1}\n{"to\nnext\nlast\n'


def test_two_writers_do_not_mix_their_lines(tmp_path):
    with LineFile(tmp_path / "a") as one, LineFile(tmp_path / "a") as other:
        for k in range(3):
            one.append(b"one %d\n" % k)
            other.append(b"other %d\n" % k)
    assert (tmp_path / "a").read_bytes() == b"".join(b"one %d\nother %d\n" % (k, k) for k in range(3))


def test_a_place_that_cannot_be_written_and_a_full_disk_are_named(tmp_path):
    for path in (tmp_path / "no" / "a", tmp_path):
        with pytest.raises(RecordingError, match="cannot write"):
            LineFile(path)
    with LineFile("/dev/full") as file, pytest.raises(RecordingError, match="cannot write /dev/full"):
        file.append(b"line\n")
    file = LineFile(tmp_path / "a")
    file.close()
    file.close()  # again is harmless
