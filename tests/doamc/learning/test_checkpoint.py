"""Checkpoints come back as written, and what does not fit is refused."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from doamc.errors import CheckpointError, DoamcError
from doamc.estimators import make_estimator
from doamc.learning.checkpoint import (
    Checkpoint,
    find_weights,
    load_checkpoint,
    own_weights,
    save_checkpoint,
    shipped_weights,
)
from doamc.spec import SHIPPED, load_spec
from tests.doamc.helpers.scenes import edited_spec, observed

KEPT = Checkpoint("snapshot", load_spec("ula8"), {"width": 3}, {"steps": 5}, {"w": torch.arange(6.0).reshape(2, 3)})


def test_round_trip(tmp_path):
    path = tmp_path / "deep" / "a.safetensors"
    save_checkpoint(path, KEPT)
    back = load_checkpoint(path, "snapshot", "ula8")
    assert back.config == KEPT.config and back.record == KEPT.record and back.spec.digest == KEPT.spec.digest
    assert torch.equal(back.tensors["w"], KEPT.tensors["w"])
    assert [p.name for p in path.parent.iterdir()] == ["a.safetensors"]


def test_another_array_another_kind_and_damage_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, KEPT)
    wider = edited_spec("ula8", geometry={"spacing_wavelengths": 0.4})
    with pytest.raises(CheckpointError, match=r"was trained for array 'ula8'.*found 'ula8'.*doamc train"):
        load_checkpoint(path, "snapshot", wider)
    with pytest.raises(CheckpointError, match="expected weights of kind 'vae', found 'snapshot'"):
        load_checkpoint(path, "vae")
    with pytest.raises(CheckpointError, match=r"no weights at b.safetensors; .*: doamc train .*posterior needs none"):
        load_checkpoint(tmp_path / "b.safetensors", "snapshot")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(CheckpointError, match=r"a.safetensors is not a checkpoint of this project, or is damaged"):
        load_checkpoint(path, "snapshot")
    path.write_bytes(b"not one")
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        load_checkpoint(path, "snapshot")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, KEPT)
    bad = Checkpoint("snapshot", KEPT.spec, {"width": {1}}, {}, KEPT.tensors)  # a set is not JSON
    with pytest.raises(TypeError):
        save_checkpoint(path, bad)
    assert load_checkpoint(path, "snapshot").config == {"width": 3}
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_where_weights_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("DOAMC_WEIGHTS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert find_weights("snapshot", "mine") == shipped_weights("snapshot", "mine")  # neither is there
    save_checkpoint(own_weights("snapshot", "mine"), KEPT)
    assert find_weights("snapshot", "mine") == tmp_path / "doamc" / "snapshot-mine.safetensors"
    assert find_weights("snapshot", "roof", "mine") == tmp_path / "doamc" / "snapshot-mine.safetensors"
    assert find_weights("snapshot", "roof", "ula8") == shipped_weights("snapshot", "ula8")
    assert find_weights("snapshot", "roof", "other") == shipped_weights("snapshot", "roof")  # none is there
    monkeypatch.setenv("DOAMC_WEIGHTS", str(tmp_path / "w"))
    assert find_weights("snapshot", "roof", "ula8") == shipped_weights("snapshot", "ula8")
    save_checkpoint(own_weights("snapshot", "ula8"), KEPT)
    assert find_weights("snapshot", "ula8") == tmp_path / "w" / "snapshot-ula8.safetensors"


def test_without_a_home_the_shipped_weights_serve_and_others_need_a_folder(tmp_path, monkeypatch):
    for name in ("DOAMC_WEIGHTS", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", str)  # what it gives without HOME, for a user that no list knows
    assert find_weights("snapshot", "ula8") == shipped_weights("snapshot", "ula8")
    with pytest.raises(CheckpointError, match="found no HOME; name a folder by DOAMC_WEIGHTS"):
        find_weights("snapshot", "mine")
    monkeypatch.setenv("DOAMC_WEIGHTS", str(tmp_path))
    assert own_weights("snapshot", "mine") == tmp_path / "snapshot-mine.safetensors"
    monkeypatch.setenv("DOAMC_WEIGHTS", str(tmp_path / ("long" * 100)))  # cannot even be asked for
    assert find_weights("snapshot", "ula8") == shipped_weights("snapshot", "ula8")


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
    save_checkpoint(path, Checkpoint("snapshot", spec, {}, {}, {"w": torch.ones(2)}))
    (folders[0] / "mine.prior.safetensors").unlink()
    moved = load_spec(folders[1] / "mine.toml")
    assert load_checkpoint(path, "snapshot", moved).spec.digest == moved.digest == source.digest
    file = folders[1] / "mine.prior.safetensors"
    tensors = load_file(file)
    save_file(tensors | {"mean": 1.01 * tensors["mean"]}, file)
    with pytest.raises(CheckpointError, match="was trained for array"):
        load_checkpoint(path, "snapshot", load_spec(folders[1] / "mine.toml"))


def rewritten(path, change_head=None, change=None):
    """A shipped checkpoint with its header and tensors changed, at a path."""
    source = shipped_weights("snapshot", "ula8")
    with safe_open(str(source), "pt") as file:
        head = json.loads(file.metadata()["doamc"])
    tensors = load_file(source)
    head = (change_head or (lambda h: h))(head)
    save_file((change or (lambda t: t))(tensors), path, {"doamc": json.dumps(head)})
    return path


WRONG_HEADS = {
    "a list": lambda h: [h],
    "no config": lambda h: {k: v for k, v in h.items() if k != "config"},
    "config no table": lambda h: h | {"config": [384, 3]},
    "no specification": lambda h: h | {"spec": 3},
    "specification without geometry": lambda h: h | {"spec": {"name": "ula8"}},
    "specification without coupling": lambda h: h | {"spec": {k: v for k, v in h["spec"].items() if k != "coupling"}},
    "name with a folder": lambda h: h | {"spec": h["spec"] | {"name": "../x"}},
    "kind no string": lambda h: h | {"kind": {"a": 1}},
    "unknown key": lambda h: h | {"config": {"form": 2, "width": 384, "blocks": 3, "depth": 2}},
    "width of a word": lambda h: h | {"config": {"form": 2, "width": "wide", "blocks": 3}},
    "width of a billion": lambda h: h | {"config": {"form": 2, "width": 10**9, "blocks": 3}},
    "width nan": lambda h: h | {"config": {"form": 2, "width": float("nan"), "blocks": 3}},
    "width and a half": lambda h: h | {"config": {"form": 2, "width": 383.5, "blocks": 3}},
    "no width": lambda h: h | {"config": {"form": 2, "width": 0, "blocks": 3}},
    "a million blocks": lambda h: h | {"config": {"width": 384, "blocks": 10**6}},
    "another width": lambda h: h | {"config": {"form": 2, "width": 256, "blocks": 3}},
}


@pytest.mark.parametrize("change", WRONG_HEADS.values(), ids=WRONG_HEADS)
def test_a_wrong_header_is_refused_before_memory_is_taken(tmp_path, change):
    path = rewritten(tmp_path / "w.safetensors", change)
    with pytest.raises(CheckpointError):
        make_estimator("ddim-snapshot", "ula8", weights=path)


WRONG_TENSORS = {
    "nan": lambda t: t | {next(iter(t)): torch.full_like(t[next(iter(t))], torch.nan)},
    "infinite": lambda t: t | {next(iter(t)): torch.full_like(t[next(iter(t))], torch.inf)},
    "one too few": lambda t: dict(list(t.items())[1:]),
    "one too many": lambda t: t | {"more": torch.ones(3)},
    "another shape": lambda t: t | {next(iter(t)): torch.ones(3)},
    "none": lambda t: {},
}


@pytest.mark.parametrize("change", WRONG_TENSORS.values(), ids=WRONG_TENSORS)
def test_wrong_weights_are_refused(tmp_path, change):
    path = rewritten(tmp_path / "w.safetensors", None, change)
    with pytest.raises(CheckpointError) as refused:
        make_estimator("ddim-snapshot", "ula8", weights=path)
    assert len(str(refused.value)) < 500  # torch lists every tensor


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("vae", "vae"),
        ("ddim-snapshot", "snapshot"),
        ("coupling-diffusion", "coupling"),
    ],
)
def test_random_weights_end_in_figures_or_an_error_of_ours(tmp_path, method, kind):
    """Random weights look like any; whatever such a net says, an error of ours or a finite estimate follows."""
    source, generator = shipped_weights(kind, "ula8"), torch.Generator().manual_seed(0)
    with safe_open(str(source), "pt") as file:
        head = file.metadata()
    tensors = {k: 3 * torch.randn(v.shape, generator=generator) for k, v in load_file(source).items()}
    save_file(tensors, tmp_path / "w.safetensors", head)
    estimator = make_estimator(method, "ula8", weights=tmp_path / "w.safetensors")
    try:
        found = estimator(observed(load_spec("ula8"), 2, 2, 32, 15.0)[1], 2)
    except DoamcError:
        return
    assert torch.isfinite(found.azimuth).all()
