"""SigMF as others write it: several captures, offsets, foreign bytes, other names, archives, collections."""

import hashlib
import io
import json
import tarfile

import numpy as np
import pytest
import sigmf

from doamc.errors import RecordingError
from doamc.snapshots import sigmf_files
from doamc.snapshots.captures import open_capture
from doamc.snapshots.sigmf_collection import Collection
from doamc.snapshots.sigmf_files import Recording

RATE = 1000.0
Y = (np.arange(100) + 1j * np.arange(3)[:, None]).astype(np.complex64)  # samples tell number and channel


def save(path, captures=({"core:sample_start": 0},), annotations=(), y=Y, data=None, **fields):
    """A recording by hand; fields are of the global object, without their ``core:``."""
    given = {"datatype": "cf32_le", "version": "1.2.0", "num_channels": len(y), "sample_rate": RATE} | fields
    world = {k if ":" in k else f"core:{k}": v for k, v in given.items() if v is not None}
    table = {"global": world, "captures": list(captures), "annotations": list(annotations)}
    path.with_suffix(".sigmf-meta").write_text(json.dumps(table))
    name = world.get("core:dataset", path.with_suffix(".sigmf-data").name)
    path.with_name(name).write_bytes(y.T.astype("<c8").tobytes() if data is None else data)
    return path.with_suffix(".sigmf-meta")


def capture(start, frequency=None, **more):
    told = {} if frequency is None else {"core:frequency": frequency}
    return {"core:sample_start": start} | told | {k.replace("__", ":"): v for k, v in more.items()}


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


def test_gaps_are_told_by_the_global_index_and_by_our_own_recorder(tmp_path):
    captures = [capture(0, core__global_index=500), capture(50, core__global_index=950)]  # 400 samples lost
    assert Recording(save(tmp_path / "a", captures)).stream_times_s(np.array([50])) == pytest.approx(0.45)
    captures = [capture(0, doamc__sample_time=3.0), capture(50, doamc__sample_time=9.0)]
    assert Recording(save(tmp_path / "b", captures)).stream_times_s(np.array([0, 51])) == pytest.approx([0, 6.001])


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [("1970-01-01T00:01:00Z", 60.0), ("1970-01-01T02:01:00.5+02:00", 60.5), ("1970-01-01T00:01:00", 60.0)],
)
def test_moments_are_read_in_utc(tmp_path, moment, seconds):
    assert Recording(save(tmp_path / "r", [capture(0, core__datetime=moment)])).segments[0].time == seconds


def test_a_moment_that_is_none_is_told_and_left_out(tmp_path):
    r = Recording(save(tmp_path / "r", [capture(0, core__datetime="2026-02-31T00:00:00Z")]))
    assert r.segments[0].time is None and "is no moment" in r.remarks[0]


def test_an_offset_shifts_all_numbers(tmp_path):
    r = Recording(save(tmp_path / "r", [capture(10**6, 1e8), capture(10**6 + 30, 2e8)], offset=10**6))
    assert [(s.start, s.stop, s.frequency_hz) for s in r.segments] == [(0, 30, 1e8), (30, 100, 2e8)]
    assert np.array_equal(r.read(0, 100), Y) and r.remarks == []


def test_annotations_past_the_end_are_told_and_the_rest_is_read(tmp_path):
    r = Recording(save(tmp_path / "r", annotations=[{"core:sample_start": 90, "core:sample_count": 11}]))
    assert r.n_samples == 100 and "annotations reach beyond the data, which end at sample 100" in r.remarks[0]


def test_without_num_channels_there_is_one_as_the_standard_says(tmp_path):
    path = save(tmp_path / "r", num_channels=None, y=Y[:1])
    assert Recording(path).n_channels == 1
    with pytest.raises(RecordingError, match=r"no core:num_channels, which stands for 1; add it \(5\)"):
        Recording(path, 5)


def test_the_last_of_many_captures_is_checked_as_the_first(tmp_path):
    """Of 2000 captures the schema sees half; what is used of the others is checked by itself."""
    captures, y = [capture(k) for k in range(2000)], np.ones((1, 2000), np.complex64)
    assert len(Recording(save(tmp_path / "r", captures, y=y)).segments) == 2000
    wrongs = ({"core:sample_start": 5}, {"core:sample_start": 0.5}, {"core:frequency": None}, {"core:header_bytes": -1})
    for wrong in wrongs:
        changed = [*captures[:-1], captures[-1] | wrong]
        with pytest.raises(RecordingError, match="expected"):
            Recording(save(tmp_path / "r", changed, y=y))


def test_foreign_bytes_are_passed_over(tmp_path):
    """The layout of the standard: header_bytes before the samples of their capture, trailing_bytes at the end."""
    raw = Y.T.astype("<c8")
    data = b"h" * 10 + raw[:40].tobytes() + b"m" * 7 + raw[40:].tobytes() + b"t" * 5
    captures = [capture(0, core__header_bytes=10), capture(40, core__header_bytes=7)]
    path = save(tmp_path / "r", captures, data=data, trailing_bytes=5, dataset="other.bin")
    r = Recording(path)
    assert r.n_samples == 100
    for start, count in ((0, 100), (39, 2), (40, 60), (0, 40), (41, 1)):
        assert np.array_equal(r.read(start, count), Y[:, start : start + count])
    (tmp_path / "other.bin").write_bytes(data[:-1])
    with pytest.raises(RecordingError, match="truncated"):
        Recording(path)


@pytest.mark.parametrize("conforming", [True, False])
def test_archives_are_read_in_place(tmp_path, conforming):
    """As sigmf-python writes them, and as tar writes a folder with a dataset of another name."""
    meta = save(tmp_path / "r", [capture(0, 1e8)], sha512=hashlib.sha512(Y.T.astype("<c8").tobytes()).hexdigest())
    if conforming:
        sigmf.fromfile(meta).archive(str(tmp_path / "out.sigmf"))
    else:
        meta = save(tmp_path / "r", [capture(0, 1e8, core__header_bytes=0)], dataset="d.bin")
        with tarfile.open(tmp_path / "out.sigmf", "w") as tar:
            for file in ("r.sigmf-meta", "d.bin"):
                tar.add(tmp_path / file, f"r/{file}")
    r = open_capture(tmp_path / "out.sigmf", 3)
    assert np.array_equal(r.read(5, 90), Y[:, 5:95]) and r.frequency_hz == 1e8


def test_damage_within_an_archive_is_seen_by_its_checksum(tmp_path):
    meta = save(tmp_path / "r", sha512=hashlib.sha512(Y.T.astype("<c8").tobytes()).hexdigest())
    archive = tmp_path / "out.sigmf"
    sigmf.fromfile(meta).archive(str(archive))
    raw = bytearray(archive.read_bytes())
    raw[raw.index(Y.T.astype("<c8").tobytes()) + 50] ^= 1
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


def streams(tmp_path, hashed=True, **change):
    """A collection of three recordings of one channel each; change: fields of the second."""
    names = [f"ch{m}" for m in range(3)]
    for m, name in enumerate(names):
        save(tmp_path / name, **({"captures": [capture(0, 1e8)], "y": Y[m : m + 1]} | (change if m == 1 else {})))
    told = [{"name": n, "hash": hashlib.sha512((tmp_path / f"{n}.sigmf-meta").read_bytes()).hexdigest()} for n in names]
    table = {"collection": {"core:version": "1.2.0", "core:streams": told if hashed else [[n, ""][:1] for n in names]}}
    (tmp_path / "all.sigmf-collection").write_text(json.dumps(table))
    return tmp_path / "all.sigmf-collection"


@pytest.mark.parametrize("hashed", [True, False])
def test_a_collection_is_one_array(tmp_path, hashed):
    c = open_capture(streams(tmp_path, hashed), 3)
    assert np.array_equal(c.read(10, 50), Y[:, 10:60])
    assert (c.n_channels, c.n_samples, c.sample_rate_hz, c.frequency_hz, c.remarks) == (3, 100, RATE, 1e8, [])
    with pytest.raises(RecordingError, match="expected 5 channels"):
        open_capture(tmp_path / "all.sigmf-collection", 5)


def test_recordings_of_a_collection_that_differ_are_told(tmp_path):
    shorter = Collection(streams(tmp_path, y=Y[1:2, :70]))
    assert shorter.n_samples == 70 and "differ in length; 70 samples" in shorter.remarks[0]
    assert shorter.segments[-1].stop == 70
    for change in ({"captures": [capture(0, 2e8)]}, {"sample_rate": 5.0}):
        with pytest.raises(RecordingError, match=r"found others in ch1\.sigmf-meta"):
            Collection(streams(tmp_path, **change))
    path = streams(tmp_path)
    save(tmp_path / "ch2", y=Y[:1])
    with pytest.raises(RecordingError, match=r"ch2\.sigmf-meta does not agree with the hash"):
        Collection(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"collection": {"core:streams": []}}',
                                  '{"collection": {"core:streams": [{"name": "../ch0"}]}}',
                                  '{"collection": {"core:streams": [7]}}'])  # fmt: skip
def test_what_is_no_collection_is_named(tmp_path, text):
    (tmp_path / "c.sigmf-collection").write_text(text)
    with pytest.raises(RecordingError, match=r"expected|not SigMF"):
        Collection(tmp_path / "c.sigmf-collection")


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


@pytest.mark.parametrize(
    "text",
    ['{"global": NaN}', "[" * 100_000, '{"a": ' * 2000, "\xff", "1" * 5000, '{"captures": [' + "{}," * 5_000_000],
)
def test_hostile_json_is_refused(tmp_path, text):
    path = save(tmp_path / "r")
    path.write_text(text, encoding="latin-1")
    with pytest.raises(RecordingError, match=r"not SigMF metadata|at most \d+ entries") as caught:
        Recording(path)
    assert len(str(caught.value)) < 400 + len(str(path))
