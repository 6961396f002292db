"""Files of samples: an error of ours, or snapshots of the shape that was told."""

import hashlib
import io
import json
import tarfile
import wave
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from doamc.snapshots.captures import open_capture
from doamc.snapshots.channel_order import channel_order
from doamc.snapshots.npz import SnapshotFile
from doamc.spec import parse_spec
from tests.fuzz.harness import Target
from tests.fuzz.mutate import damaged, spoiled

LINE = parse_spec(
    {
        "name": "line", "geometry": {"kind": "ula", "elements": 3, "spacing_m": 0.5}, "sources": {"count": [1, 2]},
        "sector": {"azimuth_deg": [-60.0, 60.0]},
        "coupling": {"family": "symmetric-toeplitz", "magnitude": [[0.0, 0.1]]},
    }
)  # fmt: skip
POINTS = [{"point": [0.0, 0.5 * m, 0.0]} for m in (2, 0, 1)]
Y = (np.arange(60).reshape(4, 3, 5) * (1 - 2j)).astype(np.complex64)
WORLD = {"core:datatype": "ci8", "core:version": "1.2.0", "core:num_channels": 3}
KEYS = (
    "core:datatype", "core:num_channels", "core:sample_rate", "core:offset", "core:trailing_bytes", "core:sha512",
    "core:dataset", "core:metadata_only", "core:sample_start", "core:sample_count", "core:frequency", "core:datetime",
    "core:header_bytes", "core:global_index", "core:extensions", "core:version", "doamc:sample_count", "core:streams",
    "spatial:element_geometry", "spatial:channel_index", "point",
    "doamc:sample_time", "doamc:array", "doamc:azimuth_deg", "global", "captures", "annotations",
)  # fmt: skip
VALUES = (
    "2026-01-02T03:04:05.5Z", "cf32_le", "ci8", "cu16_be", "rf32_le", "cf32_leX", "10" * 2000,
    POINTS, POINTS[:1], [0.0, 1.0], [{"core:sample_start": 3}], "r.sigmf-data", "../r.sigmf-data", 20, 200, 1e3,
)  # fmt: skip


def npz(members: dict[str, bytes], method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out.getvalue()


def damaged_npz(random: Random, members: dict[str, bytes], arrays: Sequence[Any], otherwise: float = 0.5) -> bytes:
    """Damage to the archive, or to an array in one that is whole, or an array of another type, order or shape.

    members: by name, as `npz` takes them. arrays: what may lie where one of them is looked for, from this share on.
    """
    how = random.random()
    if how < 0.3:
        return damaged(npz(members, random.choice(METHODS)), random)
    name = random.choice(list(members))
    data = damaged(members[name], random) if how < otherwise else npy(random.choice(arrays))
    return npz(members | {name: data}, random.choice(METHODS))


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def whole_wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((6, 2, 48000, 0, "NONE", ""))
        file.writeframes(bytes(range(240)))
    return out.getvalue()


def archive(table: object) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in (("r.sigmf-meta", json.dumps(table).encode()), ("r.sigmf-data", bytes(range(240)))):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def metadata() -> dict:
    """Of a recording of 40 samples in two captures."""
    return {
        "global": WORLD | {"core:datatype": "cf32_le", "core:sample_rate": 1e3},
        "captures": [
            {"core:sample_start": 0, "core:frequency": 1e8, "spatial:element_geometry": POINTS},
            {"core:sample_start": 20, "spatial:element_geometry": POINTS},
        ],
        "annotations": [{"core:sample_start": 3, "core:sample_count": 5}],
    }


def collection() -> dict:
    """Of three recordings, one a channel."""
    streams = [{"name": f"r{k}", "hash": hashlib.sha512(ONE.encode()).hexdigest()} for k in range(3)]
    return {"collection": {"core:version": "1.2.0", "core:streams": streams}}


#: of the metadata and the samples of one channel
ONE = json.dumps(
    {"global": WORLD | {"core:num_channels": 1}, "captures": [{"core:sample_start": 0}], "annotations": []}
)
METHODS = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA
#: what may lie where snapshots or noise powers are looked for
ARRAYS = (
    Y, np.asfortranarray(Y), Y[0], Y[:, :, :0], Y[:, ::2], Y.astype(">c8"), Y.astype(np.complex128), Y.real, np.ones(4),
    np.ones((4, 1)), np.array(2.0), np.full(4, np.nan), np.arange(4), np.array(["x"] * 4), np.array(1j), Y.view("V8"),
    np.zeros((4, 0, 5), complex), np.ones(4, bool), np.ones(4, "<M8[s]"), Y.view([("re", "f4"), ("im", "f4")]),
)  # fmt: skip
MEMBERS = {
    "snapshots.npy": npy(Y), "noise_power.npy": npy(np.ones(4)),
    "positions_wavelengths.npy": npy(np.array([[0.0, 1.0], [0.0, 0.0], [0.0, 0.5]])),
}  # fmt: skip


def draw_npz(random: Random) -> bytes:
    """An archive of snapshots."""
    return damaged_npz(random, MEMBERS, ARRAYS, 0.6)


def draw_archive(random: Random) -> bytes:
    table = {"global": WORLD, "captures": [{"core:sample_start": 0}], "annotations": []}
    return archive(spoiled(table, random, KEYS, VALUES)) if random.random() < 0.5 else damaged(archive(table), random)


def draw_json(table: dict, random: Random) -> bytes:
    data = json.dumps(spoiled(table, random, KEYS, VALUES)).encode(errors="surrogatepass")
    return damaged(data, random) if random.random() < 0.1 else data


def draw_bytes(random: Random) -> bytes:
    return bytes([random.randrange(6)]) + random.randbytes(random.randrange(600))


def use_npz(data: bytes, folder: Path) -> None:
    (folder / "in.npz").write_bytes(data)
    file = SnapshotFile(folder / "in.npz")
    read = np.concatenate(list(file.blocks(3)))
    assert read.shape == file.shape and read.dtype.kind == "c"
    if file.shape[1] == 3:
        assert sorted(channel_order(file, LINE)[0]) == [0, 1, 2]


def use_capture(path: Path) -> None:
    """Everything that is asked of a capture."""
    capture = open_capture(path, 3)
    batches = min(3, capture.capacity(2))
    blocks, starts = capture.cut(batches, 2), capture.starts(batches, 2)
    assert blocks.shape == (len(starts), capture.n_channels, 2)
    assert [s.start for s in capture.segments[1:]] == [s.stop for s in capture.segments[:-1]]
    assert capture.segments[-1].stop == capture.n_samples
    times = capture.stream_times_s(starts)
    assert times is None or (np.isfinite(times).all() and (np.diff(times) >= 0).all())
    assert isinstance(capture.array, (str, type(None)))
    assert sorted(channel_order(capture, LINE)[0]) == [0, 1, 2]


def use_file(name: str, data: bytes, folder: Path) -> None:
    (folder / name).write_bytes(data)
    use_capture(folder / name)


def use_metadata(data: bytes, folder: Path) -> None:
    (folder / "r.sigmf-data").write_bytes(bytes(40 * 24))
    use_file("r.sigmf-meta", data, folder)


def use_collection(data: bytes, folder: Path) -> None:
    for k in range(3):
        (folder / f"r{k}.sigmf-meta").write_text(ONE)
        (folder / f"r{k}.sigmf-data").write_bytes(bytes(range(80)))
    use_file("in.sigmf-collection", data, folder)


def use_bytes(data: bytes, folder: Path) -> None:
    suffix = (".sigmf", ".sigmf-meta", ".sigmf-collection", ".npy", ".wav", ".npz")[data[0] % 6] if data else ".npz"
    (use_npz if suffix == ".npz" else partial(use_file, f"in{suffix}"))(data[1:], folder)


TARGETS = (
    Target("npz", draw_npz, use_npz),
    Target("npy", partial(damaged, npy(Y[0])), partial(use_file, "in.npy")),
    Target("wav", partial(damaged, whole_wav()), partial(use_file, "in.wav")),
    Target("sigmf-archive", draw_archive, partial(use_file, "in.sigmf")),
    Target("sigmf-metadata", partial(draw_json, metadata()), use_metadata),
    Target("sigmf-collection", partial(draw_json, collection()), use_collection),
    Target("bytes", draw_bytes, use_bytes),
)
