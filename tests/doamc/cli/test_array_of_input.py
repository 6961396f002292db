"""Which array an input without --array is of, on the command line."""

import json

import numpy as np
import pytest

from tests.doamc.cli.test_cli_record import scene_packets
from tests.doamc.krakensdr.version2.serving import sending

SNAPSHOTS = "--snapshots", 1024, "--batches", 4, "--sources", 2


@pytest.fixture
def krakensdr(doamc, tmp_path):
    """Recordings of a KrakenSDR, wired as its manual says, that tell no array unless they are told to."""

    def record(*options):
        path = tmp_path / "roof.sigmf-meta"
        with sending(*scene_packets([40.0, 200.0], 8, array="krakensdr")) as port:
            status, _, err = doamc("record", f"krakensdr://127.0.0.1:{port}", "-o", path, "--control-port", 1,
                                   "--duration", 8 * 1024 / 2.4e6, *options)  # fmt: skip
        assert (status, err) == (0, "")
        return path

    return record


def test_a_krakensdr_is_estimated_as_its_manual_wires_it_without_a_word(doamc, tmp_path, krakensdr):
    path, out = krakensdr(), tmp_path / "o.npz"
    status, _, err = doamc("estimate", path, "-o", out, "--heading", 70, *SNAPSHOTS)
    assert status == 0
    assert (
        err
        == f"doamc: {path}: the array is krakensdr, a ring as the KrakenSDR's manual wires it; --array takes another\n"
    )
    with np.load(out) as found:
        assert found["doa_deg"] == pytest.approx(np.tile([40.0, 200.0], (4, 1)), abs=1.0)
        assert found["bearing_deg"] == pytest.approx(np.tile([30.0, 230.0], (4, 1)), abs=1.0)


def test_the_array_that_a_recording_tells_is_taken(doamc, tmp_path, krakensdr):
    path = krakensdr("--array", "krakensdr")
    status, _, err = doamc("estimate", path, "-o", tmp_path / "o.npz", *SNAPSHOTS)
    assert status == 0 and "the array is krakensdr, as the recording tells" in err and err.count("\n") == 1


def test_what_tells_no_array_or_one_of_its_own_is_refused(refused, tmp_path, krakensdr):
    np.savez(tmp_path / "in.npz", snapshots=np.ones((1, 5, 9), complex))
    for command in (["estimate", "-o", tmp_path / "o.npz"], ["publish"]):
        assert "expected an array" in refused(command[0], tmp_path / "in.npz", *command[1:])
    path = krakensdr()
    table = json.loads(path.read_text())
    table["global"]["doamc:array"] = "../secret"
    path.write_text(json.dumps(table))
    assert "the recording is of ../secret, whose file --array takes" in refused(
        "estimate", path, "-o", tmp_path / "o.npz"
    )
    del table["global"]["doamc:array"], table["annotations"][:]
    path.write_text(json.dumps(table))
    assert "add --array" in refused("estimate", path, "-o", tmp_path / "o.npz")
