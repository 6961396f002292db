"""What is read as a whole is bounded first, and refused by one error of the caller's kind."""

import pytest

from doamc.errors import DashboardError, RecordingError
from doamc.files.small_file import LARGEST, MAX_ENTRIES, parse_json, read_json, read_small, read_toml


def test_files_up_to_the_limit_are_read_and_longer_ones_refused(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"#" * LARGEST)
    assert read_small(path, RecordingError) == b"#" * LARGEST and read_toml(path, RecordingError) == {}
    path.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(DashboardError, match="at most 256 KiB, found a larger one"):
        read_toml(path, DashboardError)
    with path.open("r+b") as file:
        file.truncate(1 << 40)  # sparse: no more than the limit may be asked for
    with pytest.raises(RecordingError, match="at most 1024 KiB"):
        read_small(path, RecordingError, 1 << 20)


@pytest.mark.parametrize("read", [read_small, read_toml, read_json])
@pytest.mark.parametrize("name", ["none", "x" * 300, "a\0b", ""])
def test_what_cannot_be_read_is_named(tmp_path, read, name):
    with pytest.raises(RecordingError, match="cannot read"):
        read(f"{tmp_path}/{name}", RecordingError)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"[]", "found a list"), (b"{", "delimiter|property name"), (b"\xff", "decode"),
        (b'{"a": NaN}', "NaN is not JSON"), (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": ' * 100_000, "deep|delimiter|value"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "digits|limit"), (b"[" + b"{}," * MAX_ENTRIES, "at most 4194304 entries"),
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(tmp_path, text, why):
    with pytest.raises(ValueError, match=why):
        parse_json(text)
    (tmp_path / "x.json").write_bytes(text)
    with pytest.raises(RecordingError, match=r"x\.json: expected a JSON object \(") as refused:
        read_json(tmp_path / "x.json", RecordingError, 1 << 26)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 200 + len(str(tmp_path))


def test_an_object_is_read_as_it_is():
    assert parse_json('{"a": [1, 2.5, null, "é"]}'.encode()) == {"a": [1, 2.5, None, "é"]}


def test_a_byte_order_mark_is_passed_over(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n')
    assert read_json(path, RecordingError) == {"a": 1}
    path.write_bytes(b"\xef\xbb\xbfa = 1\r\n")
    assert read_toml(path, RecordingError) == {"a": 1}
