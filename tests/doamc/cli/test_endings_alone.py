"""``-o .npz``, as of ``$NAME.npz`` where NAME is not set: no command takes an ending for a name."""

import pytest

from doamc.estimates import Recorder
from tests.doamc.estimates.bearings import message

INPUT = ("in.npz", "--array", "ula8")
CASES = {
    "simulate": ("simulate", "ula8", "-o", ".npz"),
    "simulate a recording": ("simulate", "ula8", "-o", ".sigmf-meta"),
    "simulate many": ("simulate", "ula8", "-o", ".npz", "--files", "2"),
    "estimate": ("estimate", *INPUT, "-o", ".npz"),
    "estimate many": ("estimate", "in.npz", "in2.npz", "--array", "ula8", "-o", ".parquet"),
    "denoise": ("denoise", *INPUT, "-o", ".npz"),
    "scan": ("scan", *INPUT, "-o", ".jsonl"),
    "scan many": ("scan", *INPUT, "-o", ".jsonl", "--workers", "0"),
    "locate": ("locate", "log.jsonl", "-o", ".geojson"),
    "compare": ("compare", "ula8", "-o", ".json"),
    "compare, plot": ("compare", "ula8", "--plot", ".pdf"),
    "compare, elevation": ("compare", "panel16", "--elevation", ".csv"),
    "diagnose": ("diagnose", "--array", "ula8", "-o", ".json"),
    "image": ("image", "in.npz", "-o", ".fits"),
    "plot": ("plot", "log.jsonl", "-o", ".svg"),
    "train": ("train", "--net", "waveform", "--steps", "1", "--out", ".safetensors"),
    "antenna": ("antenna", "dipole8", "-o", ".npz"),
    "antenna, prior": ("antenna", "dipole8", "--prior", ".safetensors"),
    "mimo": ("mimo", "--simulate", ".npz"),
    "record": ("record", "krakensdr://127.0.0.1", "-o", ".sigmf-meta"),
    "keys": ("keys", ".key"),
    "emulator": ("krakensdr-emulator", "--report", ".json"),
    **{f"publish {option}": ("publish", "log.jsonl", option, ending) for option, ending in (
        ("--csv", ".csv"), ("--csv-latest", ".csv"), ("--xml", ".xml"), ("--record", ".jsonl"), ("--csv-log", ".csv"),
        ("--sqlite", ".sqlite"),
    )},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("endings")
    with Recorder(folder / "log.jsonl") as record:
        record.write(message([10.0]))
    return folder


@pytest.fixture
def made(folder, doamc, monkeypatch):
    monkeypatch.chdir(folder)
    for name in ("in.npz", "in2.npz"):
        if not (folder / name).exists():
            assert doamc("simulate", "ula8", "-o", name, "--batches", 1, "--snapshots", 16)[0] == 0
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("words", CASES.values(), ids=CASES)
def test_an_ending_alone_is_no_name(refused, folder, made, words):
    line = refused(*words)
    assert "expected a name before the ending ." in line and ", found none in ." in line, line
    assert sorted(p.name for p in folder.iterdir()) == made
