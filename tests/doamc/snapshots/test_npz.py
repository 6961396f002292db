"""Snapshots and estimates as .npz: shapes, streaming, damage, whole output."""

import gc
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.errors import SnapshotError
from doamc.snapshots.npz import SnapshotFile, write_snapshots


def _noise(rng, *shape):
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


@given(b=st.integers(1, 7), n=st.integers(1, 4), length=st.integers(1, 5), size=st.integers(1, 9), pack=st.booleans())
@settings(max_examples=30)
def test_blocks_put_together_are_the_array(tmp_path_factory, b, n, length, size, pack):
    path = tmp_path_factory.mktemp("npz") / "in.npz"
    y = _noise(np.random.default_rng(b * 100 + n), b, n, length).astype(np.complex64)
    (np.savez_compressed if pack else np.savez)(path, snapshots=y)
    file = SnapshotFile(path)
    blocks = list(file.blocks(size))
    assert file.shape == (b, n, length) and file.noise_power is None
    assert [len(x) for x in blocks[:-1]] == [size] * (len(blocks) - 1)
    np.testing.assert_array_equal(np.concatenate(blocks), y)


def test_blocks_hold_a_few_observations_only(tmp_path):
    np.savez(tmp_path / "in.npz", snapshots=np.ones((1000, 4, 256), np.complex64))  # 8 MB
    tracemalloc.start()
    assert sum(len(x) for x in SnapshotFile(tmp_path / "in.npz").blocks(20)) == 1000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e6  # two blocks of 0.16 MB, and what opening an archive takes


def test_fortran_order_and_single_observation_read_alike(tmp_path):
    y = _noise(np.random.default_rng(0), 3, 4, 5)
    np.savez(tmp_path / "f.npz", snapshots=np.asfortranarray(y), noise_power=0.5)
    file = SnapshotFile(tmp_path / "f.npz")
    np.testing.assert_array_equal(np.concatenate(list(file.blocks(2))), y)
    np.testing.assert_array_equal(file.noise_power, [0.5, 0.5, 0.5])
    np.savez(tmp_path / "one.npz", snapshots=y[0])
    assert SnapshotFile(tmp_path / "one.npz").shape == (1, 4, 5)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"other": np.zeros(3)}, "expected an array 'snapshots', found other"),
        ({"snapshots": np.zeros((2, 3, 4))}, "expected complex snapshots"),
        ({"snapshots": np.zeros(4, complex)}, r"shape \(B, N, L\)"),
        ({"snapshots": np.zeros((2, 3, 0), complex)}, "at least 1"),
        ({"snapshots": np.zeros((0, 3, 4), complex)}, "at least 1"),
        ({"snapshots": np.array([1j, None])}, "Python objects"),
        ({"snapshots": np.ones((2, 3, 4), complex), "noise_power": np.ones(3)}, r"noise_power of shape \(2,\)"),
        ({"snapshots": np.ones((2, 3, 4), complex), "noise_power": np.array([None, 1])}, "noise_power"),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path, arrays, message):
    np.savez(tmp_path / "in.npz", **arrays)
    with pytest.raises(SnapshotError, match=message):
        SnapshotFile(tmp_path / "in.npz")


def test_missing_or_damaged_file_is_an_error(tmp_path):
    with pytest.raises(SnapshotError, match="found none"):
        SnapshotFile(tmp_path / "no.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(SnapshotError, match=r"expected an \.npz file"):
        SnapshotFile(tmp_path / "text.npz")
    path = tmp_path / "in.npz"
    np.savez(path, snapshots=_noise(np.random.default_rng(0), 50, 4, 16))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SnapshotError, match=r"expected an \.npz file"):
        SnapshotFile(path)
    path.write_bytes(whole[:2000] + bytes([whole[2000] ^ 255]) + whole[2001:])  # the checksum of the archive sees it
    with pytest.raises(SnapshotError, match="damaged"):
        list(SnapshotFile(path).blocks(10))


def test_array_shorter_than_its_header_says_is_an_error(tmp_path):
    path = tmp_path / "in.npz"
    np.save(tmp_path / "a.npy", _noise(np.random.default_rng(0), 5, 2, 3))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("snapshots.npy", (tmp_path / "a.npy").read_bytes()[:-16])
    with pytest.raises(SnapshotError, match="does not fit"):
        SnapshotFile(path)


def test_an_interrupted_write_leaves_nothing_and_prints_nothing(tmp_path):
    class Interrupted:
        def __array__(self, dtype=None, copy=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_snapshots(tmp_path / "out.npz", first=np.ones(3), second=Interrupted())
    gc.collect()  # what would be told of archives that were not closed fails the test
    assert list(tmp_path.iterdir()) == []
