"""`doamc denoise`: what it writes, in whose order, and what it refuses."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import doamc
from doamc.cli import main
from doamc.scenes import draw_scene, receive
from doamc.spec import load_spec

SPEC = load_spec("ula8")


@pytest.fixture
def heard(tmp_path):
    """Six scenes of two emitters at 10 dB: the file, what is clean, and the scenes."""
    generator = torch.Generator().manual_seed(21)
    scene = draw_scene(SPEC, 6, 2, 10.0, generator)
    received = receive(scene, 100, generator=generator)
    path = tmp_path / "in.npz"
    np.savez(path, snapshots=received.snapshots.numpy())
    return path, received.clean.numpy(), scene


def test_clean_snapshots_and_waveforms(heard, tmp_path, capsys):
    """P / N of the noise is left at least, 6 dB less than received; waveforms are x_0 seen from the directions."""
    path, clean, scene = heard
    out = tmp_path / "out.npz"
    assert main(["denoise", str(path), "-o", str(out), "--array", "ula8", "--sources", "2", "--method", "map"]) == 0
    assert "6 batches of 100 snapshots, 2 emitters, ula8, map" in capsys.readouterr().out
    with np.load(out) as made:
        found = dict(made)
    assert {k: v.shape for k, v in found.items()} == {
        "clean": (6, 8, 100), "waveforms": (6, 2, 100), "waveform_std": (6, 2, 100), "doa_deg": (6, 2)
    }  # fmt: skip
    with np.load(path) as received:
        noise = received["snapshots"] - clean
    left = np.mean(np.abs(found["clean"] - clean) ** 2) / np.mean(np.abs(noise) ** 2)
    assert 10 * math.log10(left) < -5.0
    assert np.abs(found["doa_deg"] - scene.azimuth.rad2deg().numpy()).max() < 3.0
    power = np.mean(np.abs(found["waveforms"]) ** 2, 2)
    assert 10 * np.log10(power) == pytest.approx(10 * np.log10(scene.power.numpy()), abs=1.5)
    assert np.isfinite(found["waveform_std"]).all() and (found["waveform_std"] > 0).all()


def test_clean_channels_keep_the_order_of_the_input(heard, tmp_path):
    """An array whose streams are numbered the other way round: clean is stream by stream what came in."""
    path, _, _ = heard
    text = tmp_path / "turned.toml"
    plain_text = (Path(doamc.__file__).parent / "specs" / "ula8.toml").read_text()
    text.write_text(plain_text.replace("[geometry]", "[geometry]\nchannels = [7, 6, 5, 4, 3, 2, 1, 0]"))
    turned, out, plain = tmp_path / "turned.npz", tmp_path / "a.npz", tmp_path / "b.npz"
    with np.load(path) as received:
        np.savez(turned, snapshots=received["snapshots"][:, ::-1])
    words = ["--sources", "2", "--method", "map"]
    assert main(["denoise", str(turned), "-o", str(out), "--array", str(text), *words]) == 0
    assert main(["denoise", str(path), "-o", str(plain), "--array", "ula8", *words]) == 0
    with np.load(out) as first, np.load(plain) as second:
        assert np.allclose(first["clean"][:, ::-1], second["clean"], atol=1e-9)
        assert np.allclose(first["waveforms"], second["waveforms"], atol=1e-9)


def test_the_number_of_emitters_has_to_be_told(heard, tmp_path, capsys):
    path, _, _ = heard
    out = tmp_path / "out.npz"
    for words, told in (([], "expected --sources P"), (["--sources", "9"], "must lie in 1..7")):
        assert main(["denoise", str(path), "-o", str(out), "--array", "ula8", *words]) == 2
        assert told in capsys.readouterr().err and not out.exists()
