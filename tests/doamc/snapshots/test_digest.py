"""What inputs are told apart by."""

import numpy as np

from doamc.snapshots.digest import input_digest
from doamc.snapshots.npz import SnapshotFile, write_snapshots
from tests.doamc.snapshots.test_segments import Numbers


def test_a_capture_is_told_by_its_samples_and_its_form():
    digests = [
        input_digest(Numbers([5000])),
        input_digest(Numbers([5000], rate=1e6)),
        input_digest(Numbers([4000, 1000])),
    ]
    other = Numbers([5000])
    other.read = lambda start, count: Numbers.read(other, start, count) + (start == 0)  # the first samples differ
    digests.append(input_digest(other))
    assert len(set(digests)) == 4 and all(len(d) == 32 for d in digests)
    assert input_digest(Numbers([5000])) == digests[0]
    assert len(input_digest(Numbers([3]))) == 32  # shorter than a place


def test_little_of_a_long_capture_is_read():
    capture = Numbers([10**12])
    asked = []
    capture.read = lambda start, count: asked.append(count) or np.zeros((2, count), np.complex64)
    input_digest(capture)
    assert sum(asked) == 16 * 256


def test_an_npz_file_is_told_by_its_checksums_wherever_it_lies(tmp_path):
    y = np.ones((3, 2, 4), np.complex64)
    for name, values in (("a", y), ("b", y), ("c", 2 * y)):
        write_snapshots(tmp_path / f"{name}.npz", snapshots=values)
    a, b, c = (input_digest(SnapshotFile(tmp_path / f"{n}.npz")) for n in "abc")
    assert a == b != c
