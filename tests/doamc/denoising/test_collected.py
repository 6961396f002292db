"""An eps-net trained on snapshots that were collected, not on the prior of a specification."""

import math

import numpy as np
import pytest
import torch

from doamc.cli import main
from doamc.denoising.collected import CollectedSnapshots, cleaned
from doamc.denoising.snapshot_ddim import SnapshotDdim
from doamc.errors import SnapshotError
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec

SPEC = load_spec("ula4")


def collected(count=40, snr_db=10.0, length=100, seed=3):
    generator = torch.Generator().manual_seed(seed)
    scene = draw_scene(SPEC, count, 1, snr_db, generator)
    return receive(scene, length, generator=generator)


def test_most_of_the_noise_is_taken_out_before_it_is_learnt():
    """One source on four elements at 10 dB: a quarter of the noise stays, 6 dB less; where none or two are
    counted, more does.
    """
    received = collected()
    clean, found = received.clean, cleaned(make_batch(received.snapshots))
    level = found.abs().square().mean((1, 2), keepdim=True).sqrt()
    assert torch.allclose(level, torch.ones_like(level))
    size = clean.abs().square().mean((1, 2), keepdim=True).sqrt()
    noise = (received.snapshots - clean).abs().square().mean() / clean.abs().square().mean()
    left = (found - clean / size).abs().square().mean()
    assert 10 * math.log10(float(left / noise)) < -4.0


def test_validation_draws_from_batches_that_training_does_not_see():
    rows = torch.arange(1, 21, dtype=torch.float64)[:, None, None].expand(-1, 4, 1).to(torch.complex128)
    rows = rows * torch.tensor([1.0, 1.0, 1.0, 0.5])[:, None] ** torch.arange(20)[:, None, None]  # each its own
    draw = CollectedSnapshots([make_batch(rows)])

    def seen(seed):
        return {round(float((row[3] / row[0]).abs().log2())) for row in draw(400, seed)}

    assert len(draw) == 18 and len(seen(5)) == 2 and len(seen(5000)) == 18 and not seen(5) & seen(5000)
    assert torch.equal(draw(7, 5000), draw(7, 5000))
    with pytest.raises(SnapshotError, match="at least 2 batches to learn from, found 1"):
        CollectedSnapshots([make_batch(rows[:1])])


def test_train_on_files_and_use_what_came_out(tmp_path, capsys):
    path, out = tmp_path / "heard.npz", tmp_path / "w.safetensors"
    np.savez(path, snapshots=collected(6, length=20).snapshots.numpy())
    words = ["train", "--array", "ula4", "--net", "snapshot", "--steps", "2", "--out", str(out), "--data"]
    assert main([*words, str(path), str(path)]) == 0
    found = SnapshotDdim("ula4", out, samples=1)(make_batch(collected(2, length=20).snapshots), 1)
    assert torch.isfinite(found.azimuth).all()
    capsys.readouterr()
    for more, told in (
        ([*words, str(path), "--net", "vae"], "expected --net snapshot or sky beside --data, found vae"),
        ([*words, str(tmp_path / "no.npz")], "no.npz"),
        (["train", "--array", "ula8", "--net", "snapshot", "--data", str(path)], "expected 8 channels"),
        (
            ["train", "--array", "ula4", "--net", "snapshot", "--snapshots", "5"],
            "expected --net snapshot and --data beside --snapshots",
        ),
    ):
        assert main(more) == 2 and told in capsys.readouterr().err
