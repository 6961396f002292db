"""Inputs in pieces: what `open_input` gives at once, bit for bit."""

import numpy as np
import pytest

from doamc.cli.inputs import open_input
from doamc.cli.pieces import Pieces
from doamc.errors import RecordingError, SnapshotError
from doamc.spec import load_spec


@pytest.mark.parametrize("name", ["a.npz", "deflated.npz", "b.sigmf-meta"])
def test_pieces_are_the_batches_of_an_input(doamc, tmp_path, name):
    path, spec = tmp_path / name, load_spec("ula4")
    kind = path.name.partition(".")[2]
    doamc("simulate", "ula4", "-o", tmp_path / f"x.{kind}", "--batches", 10, "--snapshots", 16, "--known-noise")
    if kind == "npz":
        with np.load(tmp_path / "x.npz") as z:
            (np.savez_compressed if "deflated" in name else np.savez)(path, **z)
    else:
        path = tmp_path / "x.sigmf-meta"
    whole, pieces = open_input(str(path), spec, 16, None, True), Pieces(str(path), spec, 16)
    assert pieces.shape == whole.shape == (10, 4, 16) and pieces.channels == whole.channels
    (blocks,) = whole.blocks(10)
    for first, count in ((0, 4), (4, 5), (9, 4)):
        piece = pieces.read(first, count)
        some = slice(first, first + count)
        assert np.array_equal(piece.snapshots, blocks[some])
        for field in ("noise_power", "start_s", "time", "frequency_hz"):
            mine, all_ = getattr(piece, field), getattr(whole, field)
            assert (mine is None) == (all_ is None) and (mine is None or np.array_equal(mine, all_[some]))


def test_what_does_not_fit_is_refused(doamc, tmp_path):
    spec = load_spec("ula4")
    doamc("simulate", "ula4", "-o", tmp_path / "b.sigmf-meta", "--batches", 4, "--snapshots", 16)
    with pytest.raises(RecordingError, match="found 4 such batches"):
        Pieces(str(tmp_path / "b.sigmf-meta"), spec, 16, 5)
    with pytest.raises(RecordingError, match="expected 8 channels"):
        Pieces(str(tmp_path / "b.sigmf-meta"), load_spec("ula8"))
    with pytest.raises(SnapshotError, match="expected a file of snapshots"):
        Pieces(str(tmp_path / "none.npz"), spec)
