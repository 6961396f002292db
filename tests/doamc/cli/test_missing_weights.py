"""What the error about missing weights tells to do works as printed, for an array that has none."""

import shlex

import pytest

from doamc.learning.networks import NETWORKS

BENT = """
name = "bent4"
description = "Four elements around a corner, without weights"
[geometry]
kind = "positions"
points_wavelengths = [[0.0, 0.0], [0.0, 0.45], [0.4, 0.5], [0.8, 0.45]]
[sector]
azimuth_deg = [-60.0, 60.0]
[coupling]
family = "symmetric-toeplitz"
magnitude = [[0.05, 0.2]]
"""


@pytest.fixture
def here(doamc, tmp_path, monkeypatch):
    """A folder with the array, in a name that a shell would part, and a batch of it; weights go to a folder below."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("DOAMC_WEIGHTS", raising=False)
    (tmp_path / "my array.toml").write_text(BENT)
    words = ["simulate", "my array.toml", "-o", "in.npz", "--batches", 1, "--snapshots", 20, "--sources", 1]
    assert doamc(*words, "--snr-db", 10)[0] == 0
    return tmp_path


def command_of(error: str) -> list[str]:
    return shlex.split(error.split("train them with: ")[1].split(" (method")[0])


@pytest.mark.parametrize("net", ["snapshot", "vae"])
def test_the_command_trains_what_the_method_needs(net, here, doamc, refused):
    estimate = ["estimate", "in.npz", "-o", "out.npz", "--array", "my array.toml", "--sources", 1]
    estimate += ["--method", NETWORKS[net].method]
    command = command_of(refused(*estimate))
    assert command == ["doamc", "train", "--array", "my array.toml", "--net", net]
    assert doamc(*command[1:], "--steps", 1, "--threads", 1)[0] == 0
    assert (here / "data" / "doamc" / f"{net}-bent4.safetensors").is_file()
    assert doamc(*estimate)[0] == 0 and (here / "out.npz").is_file()


@pytest.mark.parametrize("net", [kind for kind, network in NETWORKS.items() if network.array])
def test_weights_that_were_named_are_trained_where_they_were_looked_for(net, here, refused):
    method = f"{NETWORKS[net].method}:weights=own.safetensors"
    estimate = ["estimate", "in.npz", "-o", "out.npz", "--array", "my array.toml", "--sources", 1, "--method", method]
    expected = ["doamc", "train", "--array", "my array.toml", "--net", net, "--out", "own.safetensors"]
    assert command_of(refused(*estimate)) == expected


@pytest.mark.parametrize("net", ["snapshot", "vae"])
def test_no_training_is_proposed_for_an_array_that_no_weights_would_help(net, here, doamc, refused):
    assert doamc("simulate", "kraken5", "-o", "k.npz", "--batches", 1, "--snapshots", 20, "--sources", 1)[0] == 0
    estimate = ["estimate", "k.npz", "-o", "out.npz", "--array", "kraken5", "--sources", 1]
    assert "use method posterior" in refused(*estimate, "--method", NETWORKS[net].method)
