"""``doamc keys``, and the commands that ask for keys and use them."""

import json
import stat

import numpy as np
import pytest

from doamc.estimates import Publisher, make_message, read_records
from tests.doamc.cli.conftest import repeating

FREE = "tcp://127.0.0.1:*"


def estimate(seq):
    return make_message(
        seq=seq, time=1.0, sample_time=None, frequency_hz=None, array="ula4", method="music", azimuth_deg=[1.0],
        std_deg=None, power_db=None, noise_power=None, coupling=None, snapshots=64, latency_ms={}, dropped_batches=0,
    )  # fmt: skip


@pytest.fixture
def keys(doamc, tmp_path):
    """The folder of the pair roof.key and roof.key_secret."""
    status, out, err = doamc("keys", tmp_path / "roof")
    assert (status, err) == (0, "")
    assert [line.partition(": ")[0] for line in out.splitlines()] == [
        str(tmp_path / "roof.key"), str(tmp_path / "roof.key_secret")
    ]  # fmt: skip
    assert stat.S_IMODE((tmp_path / "roof.key_secret").stat().st_mode) == 0o600
    return tmp_path


@pytest.fixture
def guarded(keys):
    """Address of a publisher with keys that repeats estimates until the test ends."""
    with Publisher(FREE, 0.05, keys=keys / "roof.key_secret") as publisher, repeating(publisher, estimate) as address:
        yield address


def test_a_pair_is_not_replaced(keys, refused):
    assert "take another" in refused("keys", keys / "roof")
    assert "no folder" in refused("keys", keys / "no" / "roof")


@pytest.mark.parametrize("name", ["", ".", "..", "x/", "x" * 300])
def test_keys_need_a_name(refused, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    refused("keys", name)
    assert [p.name for p in tmp_path.rglob("*")] == ["x"]


@pytest.mark.parametrize("place", ["/dev/zero", ".", "none"])
def test_a_key_is_a_plain_file(refused, place):
    """Not a device without end, which would take all memory."""
    assert "key" in refused("monitor", "tcp://127.0.0.1:9", "--timeout", "0.1", "--server-key", place)


def test_a_reader_needs_the_publishers_key(keys, doamc, refused, guarded):
    assert "it asks for keys (--server-key" in refused("monitor", guarded, "--once", "--timeout", 3)
    status, out, err = doamc("monitor", guarded, "--once", "--json", "--timeout", 20, "--server-key", keys / "roof.key")
    assert (status, err) == (0, "") and json.loads(out)["array"] == "ula4"


def test_a_relay_reads_with_keys_and_publishes_with_its_own(keys, doamc, guarded):
    log = keys / "log.jsonl"
    status, out, err = doamc("publish", guarded, "--server-key", keys / "roof.key", "--record", log, "--count", 3,
                             "--address", "tcp://0.0.0.0:*", "--keys", keys / "roof.key_secret", "--wait", 0,
                             "--timeout", 20)  # fmt: skip
    assert (status, err) == (0, "") and "passed on 3 estimates" in out
    assert [m["array"] for m in read_records(log)] == ["ula4"] * 3


def test_a_relay_that_is_refused_says_so(doamc, guarded, tmp_path):
    status, _, err = doamc("publish", guarded, "--record", tmp_path / "x.jsonl", "--timeout", 3)
    assert status == 2 and "are the keys right?" in err and "found none" in err


def test_beyond_this_computer_publishing_asks_for_keys_or_a_word(doamc, refused, guarded, tmp_path):
    np.savez(tmp_path / "in.npz", snapshots=np.ones((1, 4, 8), complex))
    publish = ("publish", tmp_path / "in.npz", "--array", "ula4", "--method", "bartlett", "--sources", 1, "--wait", 0)
    assert "--insecure" in refused(*publish, "--address", "tcp://*:*")
    status, out, _ = doamc(*publish, "--address", "tcp://*:*", "--insecure", "--rate", 100)
    assert status == 0 and "published 1 estimates" in out
    assert "--insecure" in refused("publish", guarded, "--address", "tcp://0.0.0.0:*")
