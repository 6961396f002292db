"""Mutated captures: an error of this package or a valid result, nothing else, and bounded memory.

The examples are few, to fit into every run of the tests; ``--hypothesis-profile`` may ask for more.
"""

import copy
import io
import json
import tarfile
import tracemalloc
import wave
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doamc.errors import DoamcError
from doamc.snapshots.captures import open_capture
from doamc.snapshots.npz import SnapshotFile

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Y = (np.arange(60).reshape(4, 3, 5) * (1 - 2j)).astype(np.complex64)
#: more than any of the small files here may take, with what opening an archive takes
MEMORY = 16e6


def whole_npz(method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, array in (("snapshots", Y), ("noise_power", np.ones(4))):
            with file.open(f"{name}.npy", "w") as member:
                np.save(member, array)
    return out.getvalue()


def whole_npy():
    out = io.BytesIO()
    np.save(out, Y[0])
    return out.getvalue()


def whole_wav():
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((6, 2, 48000, 0, "NONE", ""))
        file.writeframes(bytes(range(240)))
    return out.getvalue()


def whole_archive():
    out = io.BytesIO()
    world = {"core:datatype": "ci8", "core:version": "1.2.0", "core:num_channels": 3}
    meta = json.dumps({"global": world, "captures": [{"core:sample_start": 0}], "annotations": []}).encode()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in (("r.sigmf-meta", meta), ("r.sigmf-data", bytes(range(240)))):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


NPZ = [whole_npz(zipfile.ZIP_STORED), whole_npz(zipfile.ZIP_DEFLATED)]
OTHERS = {".npy": whole_npy(), ".wav": whole_wav(), ".sigmf": whole_archive()}


@st.composite
def damaged(draw, seeds):
    """One of some files with some bytes changed, removed or repeated."""
    raw = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw) - 1))
        kind = draw(st.sampled_from(["change", "cut", "repeat", "end"]))
        length = draw(st.integers(1, 16))
        if kind == "change":
            raw[at : at + length] = draw(st.binary(min_size=1, max_size=length))
        elif kind == "cut":
            del raw[at : at + length]
        elif kind == "repeat":
            raw[at:at] = raw[at : at + 8 * length]
        else:
            del raw[at:]
        raw = raw or bytearray(b"P")
    return bytes(raw)


def refused_or(read):
    """What reading gives; None where an error of this package was raised."""
    try:
        return read()
    except DoamcError as error:
        assert str(error) and len(str(error)) < 1000
        return None


@FUZZ
@given(damaged(NPZ))
def test_a_damaged_npz_is_refused_or_read(tmp_path, raw):
    (tmp_path / "in.npz").write_bytes(raw)

    def read():
        file = SnapshotFile(tmp_path / "in.npz")
        return file.shape, np.concatenate(list(file.blocks(3)))

    tracemalloc.start()
    got = refused_or(read)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY
    if got is not None:
        assert got[1].shape == got[0] and got[1].dtype.kind == "c"


@pytest.mark.parametrize("suffix", OTHERS)
@settings(FUZZ, max_examples=80)
@given(st.data())
def test_a_damaged_capture_is_refused_or_read(tmp_path, suffix, data):
    (tmp_path / f"in{suffix}").write_bytes(data.draw(damaged([OTHERS[suffix]])))

    def read():
        capture = open_capture(tmp_path / f"in{suffix}", 3)
        return capture, capture.cut(1, min(4, capture.n_samples))

    tracemalloc.start()
    got = refused_or(read)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY
    assert got is None or got[1].shape == (1, 3, min(4, got[0].n_samples))


KEYS = [
    "core:datatype", "core:num_channels", "core:sample_rate", "core:offset", "core:trailing_bytes", "core:sha512",
    "core:dataset", "core:metadata_only", "core:sample_start", "core:sample_count", "core:frequency", "core:datetime",
    "core:header_bytes", "core:global_index", "core:extensions", "core:version", "doamc:sample_count",
    "doamc:sample_time", "doamc:array", "doamc:azimuth_deg", "global", "captures", "annotations",
]  # fmt: skip
WRONG = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 200), st.integers(-(2**70), 2**70), st.floats(), st.just([]),
    st.just({}), st.text(max_size=8), st.just("2026-01-02T03:04:05.5Z"), st.just("x" * 5000),
    st.sampled_from(["cf32_le", "ci8", "cu16_be", "rf32_le", "cf32_leX", "10" * 2000]),
    st.just([{"core:sample_start": 3}]),
)  # fmt: skip


@st.composite
def metadata(draw):
    """Metadata of a recording of 40 samples with some fields replaced, removed or put where they do not belong."""
    table = {
        "global": {
            "core:datatype": "cf32_le", "core:version": "1.2.0", "core:num_channels": 3, "core:sample_rate": 1e3,
        },
        "captures": [{"core:sample_start": 0, "core:frequency": 1e8}, {"core:sample_start": 20}],
        "annotations": [{"core:sample_start": 3, "core:sample_count": 5}],
    }  # fmt: skip
    for _ in range(draw(st.integers(1, 3))):
        places = [part for part in (table, *table.values()) if isinstance(part, dict)]
        for rows in (table.get("captures"), table.get("annotations")):
            places += [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        place, key = draw(st.sampled_from(places)), draw(st.sampled_from(KEYS))
        if draw(st.booleans()):
            place[key] = copy.deepcopy(draw(WRONG))
        else:
            place.pop(key, None)
    return json.dumps(table)


@FUZZ
@given(metadata())
def test_mutated_metadata_are_refused_or_read(tmp_path, text):
    (tmp_path / "r.sigmf-meta").write_text(text)
    (tmp_path / "r.sigmf-data").write_bytes(bytes(40 * 24))

    def read():
        capture = open_capture(tmp_path / "r.sigmf-meta")
        batches = min(3, capture.capacity(2))
        return capture, capture.cut(batches, 2), capture.starts(batches, 2)

    got = refused_or(read)
    if got is not None:
        capture, blocks, starts = got
        assert blocks.shape == (len(starts), capture.n_channels, 2)
        assert [s.start for s in capture.segments[1:]] == [s.stop for s in capture.segments[:-1]]
        assert capture.segments[-1].stop == capture.n_samples
        times = capture.stream_times_s(starts)
        assert times is None or (np.isfinite(times).all() and (np.diff(times) >= 0).all())
        assert isinstance(capture.array, (str, type(None)))


@settings(FUZZ, max_examples=60)
@given(st.binary(max_size=600), st.sampled_from([".sigmf", ".sigmf-meta", ".sigmf-collection", ".npy", ".wav", ".npz"]))
def test_bytes_of_any_kind_are_refused(tmp_path, raw, suffix):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(raw)
    with pytest.raises(DoamcError):
        SnapshotFile(path) if suffix == ".npz" else open_capture(path, 3)
