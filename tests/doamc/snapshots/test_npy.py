"""Damaged and hostile .npz files: one line, before memory is taken."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from doamc.calibration import load_coupling
from doamc.errors import CalibrationError, SnapshotError
from doamc.snapshots.npy import MAX_WHOLE, Archive
from doamc.snapshots.npz import SnapshotFile, read_coupling

Y = np.ones((4, 3, 5), np.complex64)


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def with_header(text, data=b"", version=1):
    head = text.encode("latin-1")
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(head)) + head + data


def described(shape, data=b"", order="False", kind="'<c8'"):
    return with_header(f"{{'descr': {kind}, 'fortran_order': {order}, 'shape': {shape}, }}\n", data)


def archive(path, method=zipfile.ZIP_STORED, **members):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members.items():
            file.writestr(f"{name}.npy", data)
    return path


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (npy(Y)[:40], "cannot read"),
        (with_header("{'descr': '<c8', 'fortran_order': False, 'shape': (4, 3"), "cannot read"),  # TokenError
        (with_header("{" * 5000), "cannot read"),
        (with_header("(" * 9000 + ")" * 9000), "cannot read"),
        (with_header(""), "cannot read"),
        (with_header("x" * 60_000), "a header of 60000 bytes"),
        (with_header("{}", version=2), "cannot read"),
        (b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + bytes(100), "a header of 4294967295 bytes"),
        (b"\x93NUMPY\x07\x00" + bytes(100), "format version"),
        (described((10**9, 10**9, 10**9)), "does not fit"),
        (described((2**62, 4, 3)), "does not fit"),
        (described((-4, -3, 5), bytes(480)), "does not fit"),
        (described((4, 3, 5), bytes(480), kind="'|O'"), "Python objects"),
        (described((4, 3, 5), bytes(480), kind="[('a', '<c8')]"), "expected complex snapshots"),
        (described((4, 3, 5), bytes(480), kind="'<Z9'"), "cannot read"),
        (described("9" * 5000), "cannot read"),
        (described((True, 3, 5), bytes(120)), ""),
        (npy(Y) + b"more", "does not fit"),
    ],
)
def test_a_member_whose_header_does_not_fit_is_refused(tmp_path, member, words):
    path = archive(tmp_path / "in.npz", snapshots=member)
    if not words:  # True counts as one
        assert SnapshotFile(path).shape == (1, 3, 5)
        return
    tracemalloc.start()
    with pytest.raises(SnapshotError, match=words) as caught:
        SnapshotFile(path)
    assert tracemalloc.get_traced_memory()[1] < 4e6
    tracemalloc.stop()
    assert len(str(caught.value)) < 400 + len(str(path)) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "words"), [("(1, 2L, 3)", None), ("('\\d', 2, 3)", "cannot read")])
def test_headers_that_make_the_parser_warn_are_read_or_refused_without_a_word(tmp_path, text, words):
    """Integers of Python 2 end in L; warnings are errors here, and lines of noise on a user's terminal."""
    header = f"{{'descr': '<c16', 'fortran_order': False, 'shape': {text}, }}".ljust(117) + "\n"
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + np.ones(6, complex).tobytes()
    with zipfile.ZipFile(tmp_path / "y.npz", "w") as archive:
        archive.writestr("snapshots.npy", member)
    if words is None:
        assert next(SnapshotFile(tmp_path / "y.npz").blocks(1)).shape == (1, 2, 3)
    else:
        with pytest.raises(SnapshotError, match=words):
            SnapshotFile(tmp_path / "y.npz")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_members_of_other_methods_than_deflate_are_refused(tmp_path, method):
    with pytest.raises(SnapshotError, match="another method than deflate"):
        SnapshotFile(archive(tmp_path / "in.npz", method, snapshots=npy(Y)))


def test_an_encrypted_member_is_refused(tmp_path):
    raw = bytearray(archive(tmp_path / "in.npz", snapshots=npy(Y)).read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(signature) + place] |= 1
    (tmp_path / "in.npz").write_bytes(raw)
    with pytest.raises(SnapshotError, match="encrypted"):
        SnapshotFile(tmp_path / "in.npz")


def test_sizes_that_the_file_cannot_hold_are_refused(tmp_path):
    """The directory of the archive says 3 GB of a member of 600 bytes, and the header of the array agrees."""
    size = 3 * 10**9
    data = described((10, 3, size // 240), b"")
    path = archive(tmp_path / "in.npz", snapshots=data)
    raw = bytearray(path.read_bytes())
    where = raw.index(b"PK\x01\x02")
    raw[where + 24 : where + 28] = struct.pack("<I", len(data) + size)
    path.write_bytes(raw)
    with pytest.raises(SnapshotError, match="bytes are declared, more than"):
        SnapshotFile(path)


def bomb(path, shape, order="False"):
    """An archive of a few kilobytes that unpacks to zeros of this shape."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file,
        file.open("snapshots.npy", "w", force_zip64=True) as member,
    ):
        member.write(described(shape, order=order))
        left = 8 * int(np.prod(shape))
        while left > 0:
            member.write(bytes(min(left, 1 << 22)))
            left -= 1 << 22
    return path


def test_one_observation_may_not_be_a_bomb_and_many_are_read_in_parts(tmp_path):
    with pytest.raises(SnapshotError, match="samples an observation"):
        SnapshotFile(bomb(tmp_path / "one.npz", (1, 5, 1 << 22)))
    file = SnapshotFile(bomb(tmp_path / "many.npz", (4000, 5, 256)))  # 41 MB
    tracemalloc.start()
    assert sum(len(block) for _, block in zip(range(10), file.blocks(20), strict=False)) == 200
    assert tracemalloc.get_traced_memory()[1] < 4e6
    tracemalloc.stop()


def test_fortran_order_is_read_as_a_whole_up_to_a_limit(tmp_path):
    path = bomb(tmp_path / "f.npz", (40, 5, 256), order="True")
    assert len(list(SnapshotFile(path).blocks(1))) == 40
    with pytest.raises(SnapshotError, match="in C order"):
        Archive(path).whole("snapshots", most=8 * 40 * 5 * 256 - 1)
    assert MAX_WHOLE == 1 << 28


@pytest.mark.parametrize(
    "noise", [b"", described((10**9,), kind="'<f8'"), npy(np.array([None])), npy(np.ones(4)) + b"x"]
)
def test_noise_power_is_checked_alike(tmp_path, noise):
    with pytest.raises(SnapshotError, match="noise_power"):
        SnapshotFile(archive(tmp_path / "in.npz", snapshots=npy(Y), noise_power=noise))


@pytest.mark.parametrize("coupling", [b"", described((10**6, 10**6)), npy(np.array(["a"])), npy(np.array([None]))])
def test_coupling_is_checked_alike(tmp_path, coupling):
    path = archive(tmp_path / "in.npz", coupling=coupling)
    with pytest.raises(SnapshotError, match="coupling"):
        read_coupling(path, 3)
    with pytest.raises(CalibrationError, match="coupling"):
        load_coupling(path, 3)
