"""Files by URL: what readers need of them, from an object store and a web server on loopback."""

import os
from pathlib import Path

import pytest

from doamc.errors import RecordingError
from doamc.files.remote import RemotePath, file_at, is_file, is_url
from tests.doamc.store import BUCKET, object_store, web_server


def test_a_path_stays_a_path(tmp_path):
    assert file_at(tmp_path) == tmp_path and isinstance(file_at("a/b"), Path)
    assert file_at(f"file://{tmp_path}/x") == tmp_path / "x"
    (tmp_path / "x").touch()
    assert is_file(tmp_path / "x") and not is_file(tmp_path) and not is_url(tmp_path)


def test_names_of_a_url_are_those_of_a_path():
    url = RemotePath("s3://bucket/a/b.sigmf-meta")
    assert (url.name, url.suffix, str(url)) == ("b.sigmf-meta", ".sigmf-meta", "s3://bucket/a/b.sigmf-meta")
    assert str(url.with_suffix(".sigmf-data")) == "s3://bucket/a/b.sigmf-data" == os.fspath(url.parent / "b.sigmf-data")


@pytest.mark.parametrize("url", ["s3://", "nothing://x/y", "https://h/a?b=c", "zip://a::s3://b/c"])
def test_what_is_no_plain_url_is_refused(url):
    with pytest.raises(RecordingError, match="expected a"):
        file_at(url)


def test_an_object_store_is_read_in_ranges(monkeypatch):
    with object_store(monkeypatch) as put:
        put("a/x.bin", bytes(range(256)) * 1000)
        x = file_at(f"s3://{BUCKET}/a/x.bin")
        assert x.stat().st_size == 256_000 and is_file(x) and not is_file(x.with_suffix(".no"))
        with x.open("rb") as file:
            file.seek(200_005)
            assert file.read(3) == bytes([(200_005 + k) % 256 for k in range(3)])
        with pytest.raises(OSError):
            x.with_suffix(".no").open("rb").read()


def test_a_web_server_is_read_in_ranges(tmp_path):
    (tmp_path / "x.bin").write_bytes(bytes(range(256)) * 1000)
    with web_server(tmp_path) as address:
        x = file_at(f"{address}/x.bin")
        assert x.stat().st_size == 256_000 and is_file(x) and not is_file(f"{address}/no.bin")
        with x.open("rb") as file:
            file.seek(200_005)
            assert file.read(3) == bytes([(200_005 + k) % 256 for k in range(3)])
    with pytest.raises(RecordingError, match=r"cannot read .*/x\.bin"):  # its server has gone
        is_file(f"{address}/x.bin")
