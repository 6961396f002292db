"""Snapshots and estimates as .npz: shapes, streaming, damage, whole output."""

import gc
import os
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.errors import RecordingError, SnapshotError
from doamc.estimates.estimate_file import write_estimates
from doamc.estimators.base import Estimates
from doamc.files.atomic import check_output, whole_file
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


def test_estimates_are_written_in_degrees_and_db(tmp_path):
    nan = torch.nan
    e = Estimates(
        azimuth=torch.tensor([[-0.5, 0.5], [0.1, nan]]).double(),
        std=torch.full((2, 2), 0.01).double(),
        power=torch.tensor([[1.0, 0.1], [0.0, nan]]).double(),
        coupling=torch.eye(3).to(torch.complex128).expand(2, 3, 3),
        noise_power=torch.tensor([0.1, 0.2]).double(),
        n_sources=torch.tensor([2, 1]),
    )
    write_estimates(tmp_path / "out.npz", e)
    with np.load(tmp_path / "out.npz", allow_pickle=False) as z:
        assert set(z) == {"doa_deg", "doa_std_deg", "power_db", "coupling", "noise_power", "n_sources"}
        np.testing.assert_allclose(z["doa_deg"], [[-28.64788975654116, 28.64788975654116], [5.729577951308232, np.nan]])
        np.testing.assert_allclose(z["power_db"], [[0.0, -10.0], [np.nan, np.nan]], atol=1e-12)
        assert z["coupling"].shape == (2, 3, 3) and np.iscomplexobj(z["coupling"])
        assert z["n_sources"].tolist() == [2, 1] and z["noise_power"].shape == (2,)


def test_output_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "out.npz"
    write_snapshots(path, snapshots=np.ones((1, 2, 3), complex))
    before = path.read_bytes()
    for error in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(error), whole_file(path) as file:
            file.write(b"half")
            file.flush()
            raise error
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["out.npz"]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_an_interrupted_write_leaves_nothing_and_prints_nothing(tmp_path):
    class Interrupted:
        def __array__(self, dtype=None, copy=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_snapshots(tmp_path / "out.npz", first=np.ones(3), second=Interrupted())
    gc.collect()  # what would be told of archives that were not closed fails the test
    assert list(tmp_path.iterdir()) == []


def test_output_that_cannot_be_made_is_refused_beforehand(tmp_path):
    for path, message in (
        (tmp_path / "no" / "out.npz", "there is no folder"),
        (tmp_path, "found a folder"),
        ("/dev/null", "or a device"),
        (tmp_path / ("long" * 100) / "out.npz", "there is no folder"),  # the system refuses even to look
    ):
        with pytest.raises(RecordingError, match=message):
            check_output(path)
        with pytest.raises(RecordingError, match=message), whole_file(path):
            pytest.fail("the block must not start")
