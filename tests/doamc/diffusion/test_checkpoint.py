"""Checkpoints come back as written, and what does not fit is refused."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from doamc.diffusion import Checkpoint, load_checkpoint, save_checkpoint
from doamc.diffusion.checkpoint import find_weights, own_weights, shipped_weights
from doamc.errors import CheckpointError
from doamc.spec import SHIPPED, load_spec
from tests.doamc.helpers.scenes import edited_spec

KEPT = Checkpoint("batch", load_spec("ula8"), {"width": 3}, {"steps": 5}, {"w": torch.arange(6.0).reshape(2, 3)})


def test_round_trip(tmp_path):
    path = tmp_path / "deep" / "a.safetensors"
    save_checkpoint(path, KEPT)
    back = load_checkpoint(path, "batch", "ula8")
    assert back.config == KEPT.config and back.record == KEPT.record and back.spec.digest == KEPT.spec.digest
    assert torch.equal(back.tensors["w"], KEPT.tensors["w"])
    assert [p.name for p in path.parent.iterdir()] == ["a.safetensors"]


def test_another_array_another_kind_and_damage_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, KEPT)
    wider = edited_spec("ula8", geometry={"spacing_wavelengths": 0.4})
    with pytest.raises(CheckpointError, match=r"was trained for array 'ula8'.*found 'ula8'.*doamc train"):
        load_checkpoint(path, "batch", wider)
    with pytest.raises(CheckpointError, match="expected weights of kind 'snapshot', found 'batch'"):
        load_checkpoint(path, "snapshot")
    with pytest.raises(CheckpointError, match=r"no weights at b.safetensors; train them with: doamc train"):
        load_checkpoint(tmp_path / "b.safetensors", "batch")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(CheckpointError, match=r"a.safetensors is not a checkpoint of this project, or is damaged"):
        load_checkpoint(path, "batch")
    path.write_bytes(b"not one")
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        load_checkpoint(path, "batch")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, KEPT)
    bad = Checkpoint("batch", KEPT.spec, {"width": {1}}, {}, KEPT.tensors)  # a set is not JSON
    with pytest.raises(TypeError):
        save_checkpoint(path, bad)
    assert load_checkpoint(path, "batch").config == {"width": 3}
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_where_weights_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("DOAMC_WEIGHTS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert find_weights("batch", "mine") == shipped_weights("batch", "mine")  # neither is there
    save_checkpoint(own_weights("batch", "mine"), KEPT)
    assert find_weights("batch", "mine") == tmp_path / "doamc" / "batch-mine.safetensors"
    monkeypatch.setenv("DOAMC_WEIGHTS", str(tmp_path / "w"))
    save_checkpoint(own_weights("batch", "ula8"), KEPT)
    assert find_weights("batch", "ula8") == tmp_path / "w" / "batch-ula8.safetensors"


def test_without_a_home_the_shipped_weights_serve_and_others_need_a_folder(tmp_path, monkeypatch):
    for name in ("DOAMC_WEIGHTS", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", str)  # what it gives without HOME, for a user that no list knows
    assert find_weights("posterior", "ula8") == shipped_weights("posterior", "ula8")
    with pytest.raises(CheckpointError, match="found no HOME; tell a folder by DOAMC_WEIGHTS"):
        find_weights("posterior", "mine")
    monkeypatch.setenv("DOAMC_WEIGHTS", str(tmp_path))
    assert own_weights("posterior", "mine") == tmp_path / "posterior-mine.safetensors"
    monkeypatch.setenv("DOAMC_WEIGHTS", str(tmp_path / ("long" * 100)))  # cannot even be asked for
    assert find_weights("posterior", "ula8") == shipped_weights("posterior", "ula8")


def test_weights_of_a_drawn_prior_follow_its_file_wherever_it_lies(tmp_path):
    source = load_spec("kraken5")
    text = (SHIPPED / "kraken5.toml").read_text().replace('prior = "kraken5"', 'prior = "mine"')
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
        (folder / "mine.toml").write_text(text)
        (folder / "mine.prior.safetensors").write_bytes(Path(source.coupling["prior"]).read_bytes())
    spec = load_spec(folders[0] / "mine.toml")
    path = tmp_path / "weights.safetensors"
    save_checkpoint(path, Checkpoint("posterior", spec, {}, {}, {"w": torch.ones(2)}))
    (folders[0] / "mine.prior.safetensors").unlink()
    moved = load_spec(folders[1] / "mine.toml")
    assert load_checkpoint(path, "posterior", moved).spec.digest == moved.digest == source.digest
    file = folders[1] / "mine.prior.safetensors"
    tensors = load_file(file)
    save_file(tensors | {"mean": 1.01 * tensors["mean"]}, file)
    with pytest.raises(CheckpointError, match="was trained for array"):
        load_checkpoint(path, "posterior", load_spec(folders[1] / "mine.toml"))
