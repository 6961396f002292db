"""Positions as files tell them: SigMF in metres, collections, .npz in wavelengths, and what is no position."""

import json

import numpy as np
import pytest

from doamc.errors import RecordingError, SnapshotError
from doamc.snapshots.captures import open_capture
from doamc.snapshots.channel_order import channel_order
from doamc.snapshots.npz import SnapshotFile
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.sigmf_write import write_recording
from doamc.spec import SPEED_OF_LIGHT, load_spec
from tests.doamc.helpers.rings import ring

GEOMETRY = "spatial:element_geometry"
HERTZ = 433.9e6


@pytest.fixture
def path(tmp_path):
    """A recording of a clockwise ring."""
    file = tmp_path / "a.sigmf-meta"
    write_recording(
        file, np.ones((5, 40), complex), sample_rate_hz=1e6, frequency_hz=HERTZ, positions_wavelengths=ring()
    )
    return file


def edit(path, change):
    meta = json.loads(path.read_text())
    change(meta)
    path.write_text(json.dumps(meta))


def points_of(positions):
    return [{"point": list(map(float, p))} for p in positions]


def test_positions_are_read_in_metres_from_a_capture_or_from_the_whole(path):
    expected = ring() * SPEED_OF_LIGHT / HERTZ
    assert Recording(path).positions_m == pytest.approx(expected)
    edit(path, lambda m: m["global"].update({GEOMETRY: m["captures"][0].pop(GEOMETRY)}))
    assert Recording(path).positions_m == pytest.approx(expected)
    edit(path, lambda m: m["global"].pop(GEOMETRY))
    assert Recording(path).positions_m is None
    assert channel_order(Recording(path), load_spec("krakensdr")) == ((0, 4, 3, 2, 1), None)


def test_positions_decide_and_are_told(path):
    assert channel_order(Recording(path), load_spec("krakensdr")) == ((0, 4, 3, 2, 1), None)
    channels, said = channel_order(Recording(path), load_spec("uca5"))
    assert channels == (0, 4, 3, 2, 1) and said.startswith(f"{path}: by their positions the channels are elements 0, 4")
    with pytest.raises(RecordingError, match=r"a\.sigmf-meta: expected the antennas of array uca5.* 2 times as large"):
        channel_order(Recording(path), load_spec("uca5"), 2 * HERTZ)


def test_without_a_frequency_only_the_shape_counts(path):
    edit(path, lambda m: m["captures"][0].pop("core:frequency"))
    assert channel_order(Recording(path), load_spec("uca5"))[0] == (0, 4, 3, 2, 1)


def test_captures_that_agree_are_one_and_others_are_refused(path):
    def again(change):
        def edited(m):
            m["captures"].append({"core:sample_start": 20, "core:frequency": 2 * HERTZ})
            m["captures"][1][GEOMETRY] = points_of(Recording(path).positions_m + change)

        return edited

    edit(path, again(1e-4))
    assert channel_order(Recording(path), load_spec("krakensdr"))[1] is None
    edit(path, lambda m: m["captures"].pop())
    edit(path, again(0.1))
    recording = Recording(path)  # samples can be read all the same
    with pytest.raises(RecordingError, match="expected one spatial:element_geometry for all captures, found antennas"):
        channel_order(recording, load_spec("krakensdr"))


@pytest.mark.parametrize(
    "value",
    [None, [], {}, "near", [[0, 0, 0]] * 5, [{"point": [0, 0]}] * 4 + [{"point": [0]}], [{"place": [0, 0, 0]}] * 5,
     *([{"point": p}] * 5 for p in ([0, "1", 2], [True, 0, 0], [1e7, 0, 0], [10**400, 0]))],
)  # fmt: skip
def test_what_is_no_position_is_named(path, value):
    edit(path, lambda m: m["captures"][0].update({GEOMETRY: value}))
    with pytest.raises(
        RecordingError, match=r'expected spatial:element_geometry to be a list of \{"point": \[x, y, z\]\}'
    ):
        channel_order(Recording(path), load_spec("krakensdr"))


def test_nan_is_no_position(path):
    edit(path, lambda m: m["captures"][0].update({GEOMETRY: [{"point": [float("nan"), 0, 0]}] * 5}))
    with pytest.raises(RecordingError):
        channel_order(Recording(path), load_spec("krakensdr"))


def test_another_number_of_positions_is_named(path):
    edit(path, lambda m: m["captures"][0][GEOMETRY].pop())
    with pytest.raises(RecordingError, match="expected spatial:element_geometry of 5 channels, found 4 points"):
        channel_order(Recording(path), load_spec("krakensdr"))


@pytest.mark.parametrize("whole", [True, False])
def test_a_collection_has_the_positions_of_its_recordings(tmp_path, whole):
    positions = ring()[[2, 0, 1, 4, 3]]
    for k in range(5):
        part = tmp_path / f"c{k}.sigmf-meta"
        write_recording(part, np.ones((1, 40), complex), sample_rate_hz=1e6, frequency_hz=HERTZ)
        told = points_of((positions if whole else positions[k : k + 1]) * SPEED_OF_LIGHT / HERTZ)
        edit(part, lambda m, k=k, told=told: (m["captures"][0].update({GEOMETRY: told}),
                                              m["global"].update({"spatial:channel_index": k})))  # fmt: skip
    file = tmp_path / "all.sigmf-collection"
    streams = [{"name": f"c{k}"} for k in range(5)]
    file.write_text(json.dumps({"collection": {"core:version": "1.2.0", "core:streams": streams}}))
    assert channel_order(open_capture(file), load_spec("kraken5"))[0] == (3, 0, 4, 1, 2)
    edit(part, lambda m: m["captures"][0].pop(GEOMETRY))  # of one alone it is not known
    assert open_capture(file).positions_m is None


def test_an_archive_of_snapshots_tells_them_in_wavelengths(tmp_path):
    def order(positions, name="kraken5"):
        np.savez(tmp_path / "a.npz", snapshots=np.ones((2, 5, 8), complex), positions_wavelengths=positions)
        return channel_order(SnapshotFile(tmp_path / "a.npz"), load_spec(name))

    said = "by their positions the channels are elements 0, 4, 3, 2, 1 (clockwise) of array kraken5, and are taken so"
    assert order(ring()) == ((0, 4, 3, 2, 1), f"{tmp_path / 'a.npz'}: {said}")
    assert order(ring()[:, :2].astype(np.float32), "krakensdr") == ((0, 4, 3, 2, 1), None)
    with pytest.raises(SnapshotError, match=r"a\.npz: expected the antennas of array kraken5.*turned by 30\.0 deg"):
        order(ring(first_deg=30.0))
    for wrong in (ring()[:4], ring()[:, :1], ring().astype(complex), ring() + np.nan, ring() * 1e9, np.array("near")):
        with pytest.raises(SnapshotError, match="positions_wavelengths"):
            order(wrong)
