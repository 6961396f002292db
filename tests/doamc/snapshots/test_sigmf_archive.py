"""SigMF archives are read in place; what is none, or damaged, is named."""

import hashlib
import io
import tarfile

import numpy as np
import pytest
import sigmf

from doamc.errors import RecordingError
from doamc.snapshots.captures import open_capture
from doamc.snapshots.sigmf_archive import recordings_in
from doamc.snapshots.sigmf_files import Recording
from tests.doamc.snapshots.recordings import RAMP, capture, save


@pytest.mark.parametrize("conforming", [True, False])
def test_archives_are_read_in_place(tmp_path, conforming):
    """As sigmf-python writes them, and as tar writes a folder with a dataset of another name."""
    meta = save(tmp_path / "r", [capture(0, 1e8)], sha512=hashlib.sha512(RAMP.T.astype("<c8").tobytes()).hexdigest())
    if conforming:
        sigmf.fromfile(meta).archive(str(tmp_path / "out.sigmf"))
    else:
        meta = save(tmp_path / "r", [capture(0, 1e8, core__header_bytes=0)], dataset="d.bin")
        with tarfile.open(tmp_path / "out.sigmf", "w") as tar:
            for file in ("r.sigmf-meta", "d.bin"):
                tar.add(tmp_path / file, f"r/{file}")
    r = open_capture(tmp_path / "out.sigmf", 3)
    assert np.array_equal(r.read(5, 90), RAMP[:, 5:95]) and r.frequency_hz == 1e8


def test_damage_within_an_archive_is_seen_by_its_checksum(tmp_path):
    meta = save(tmp_path / "r", sha512=hashlib.sha512(RAMP.T.astype("<c8").tobytes()).hexdigest())
    archive = tmp_path / "out.sigmf"
    sigmf.fromfile(meta).archive(str(archive))
    raw = bytearray(archive.read_bytes())
    raw[raw.index(RAMP.T.astype("<c8").tobytes()) + 50] ^= 1
    archive.write_bytes(raw)
    with pytest.raises(RecordingError, match="sha512"):
        Recording(archive)


def tar_of(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a tar file that is not compressed"),
        (b"\x1f\x8b" + bytes(100), "a tar file that is not compressed"),
        (tar_of([("a.sigmf-data", b"")]), "an archive of one recording, found 0"),
        (tar_of([("a.sigmf-meta", b"{}"), ("b.sigmf-meta", b"{}")]), "an archive of one recording, found 2"),
        (tar_of([("a.sigmf-meta", b"{}")]), "one file of samples"),
        (tar_of([("a.sigmf-meta", b"{}"), ("a.sigmf-data", b"12345678")]), "not SigMF metadata"),
    ],
)
def test_what_is_no_archive_of_a_recording_is_named(tmp_path, content, message):
    (tmp_path / "a.sigmf").write_bytes(content)
    with pytest.raises(RecordingError, match=message):
        Recording(tmp_path / "a.sigmf")
    with pytest.raises(RecordingError, match="not compressed; unpack"):
        open_capture(tmp_path / "a.sigmf.gz")


def test_an_archive_whose_header_asks_for_gigabytes_is_refused_at_once(tmp_path):
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 30 * 2**30
    with (tmp_path / "a.sigmf").open("wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.truncate(40 * 2**30)  # sparse
    with pytest.raises(RecordingError, match="a header is too large"):
        Recording(tmp_path / "a.sigmf")


def test_an_archive_of_several_gives_each_by_its_name(tmp_path):
    with tarfile.open(tmp_path / "two.sigmf", "w") as tar:
        for name, hertz in (("a", 1e8), ("b", 2e8)):
            save(tmp_path / name, [capture(0, hertz)])
            for end in ("meta", "data"):
                tar.add(tmp_path / f"{name}.sigmf-{end}", f"{name}/{name}.sigmf-{end}")
    assert recordings_in(tmp_path / "two.sigmf") == ["a/a", "b/b"]
    for name, hertz in (("a/a", 1e8), ("b/b", 2e8)):
        r = open_capture(tmp_path / "two.sigmf" / name, 3)
        assert r.frequency_hz == hertz and np.array_equal(r.read(5, 90), RAMP[:, 5:95])
    with pytest.raises(RecordingError, match=r"found 2; name one as two\.sigmf/NAME"):
        open_capture(tmp_path / "two.sigmf", 3)
    with pytest.raises(RecordingError, match="expected an archive that holds a recording c, found 0"):
        Recording(tmp_path / "two.sigmf" / "c")
