"""`doamc train` for the networks of the routes."""

import pytest

from doamc.cli import main
from doamc.learning.checkpoint import load_checkpoint
from doamc.routes.coupling_prior import NetworkDenoiser, open_denoiser
from doamc.routes.vae import VariationalAutoencoder
from doamc.spec import load_spec


@pytest.mark.parametrize("kind", ["vae", "coupling"])
def test_trained_weights_open(tmp_path, kind, capsys):
    path = tmp_path / "w.safetensors"
    assert main(["train", "--array", "ula4", "--net", kind, "--steps", "3", "--out", str(path)]) == 0
    assert load_checkpoint(path, kind, "ula4").record["steps"] == 3
    assert path.stat().st_size < 2**20
    if kind == "vae":
        VariationalAutoencoder("ula4", weights=path)
    else:
        assert isinstance(open_denoiser(load_spec("ula4"), path), NetworkDenoiser)
