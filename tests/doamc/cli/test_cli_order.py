"""Which antenna each channel comes from: a ring wired clockwise, positions in files, and every other numbering."""

import itertools
import json

import numpy as np
import pytest
import torch

from doamc.snapshots import make_batch
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.sigmf_write import write_recording
from doamc.spec import load_spec
from tests.doamc.helpers.rings import clockwise_snapshots, numbered, ring

AZIMUTH = [15.0, 67.5, 97.5, 142.5, 202.5, 247.5, 292.5, 337.5]
RATE = {"sample_rate_hz": 1e6, "frequency_hz": 433.9e6}


def wrapped(a):
    return (np.asarray(a) + 180.0) % 360.0 - 180.0


@pytest.fixture(scope="module")
def wired():
    """Snapshots (8, 5, 200) of an emitter at each of `AZIMUTH`, on a ring wired as the KrakenSDR's manual says."""
    pytest.importorskip("PyNEC", reason="PyNEC, which has wheels for x86-64 only")
    return clockwise_snapshots(AZIMUTH)


@pytest.fixture
def estimated(doamc, tmp_path):
    """estimated(input, array, ...) -> arrays of the estimates and what was said on stderr."""

    def run(path, array, *words, method="posterior", sources=1):
        out = tmp_path / "out.npz"
        status, _, err = doamc("estimate", path, "-o", out, "--array", array, "--method", method, "--sources", sources,
                               *words)  # fmt: skip
        assert status == 0, err
        with np.load(out) as z:
            return dict(z), err

    return run


def recorded(tmp_path, y, positions=None, name="a", **options):
    path = tmp_path / f"{name}.sigmf-meta"
    write_recording(path, np.concatenate(list(y), 1), **RATE, positions_wavelengths=positions, **options)
    return path, ("--snapshots", y.shape[2], "--batches", len(y))


def test_the_ring_as_the_manual_wires_it_is_right_as_shipped(estimated, tmp_path, wired):
    np.savez(tmp_path / "a.npz", snapshots=wired)
    path, cut = recorded(tmp_path, wired)
    for found in (estimated(tmp_path / "a.npz", "krakensdr"), estimated(path, "krakensdr", *cut)):
        estimates, err = found
        assert np.abs(wrapped(estimates["doa_deg"][:, 0] - AZIMUTH)).max() < 1.0 and err == ""
        assert estimates["channels"].tolist() == [0, 4, 3, 2, 1]
    # who turns the ring round gets every bearing mirrored
    mirrored = estimated(tmp_path / "a.npz", "kraken5")[0]["doa_deg"][:, 0]
    assert np.abs(wrapped(mirrored + AZIMUTH)).max() < 1.0 and np.abs(wrapped(mirrored - AZIMUTH)).min() > 20


@pytest.mark.parametrize("array", ["kraken5", "krakensdr"])
@pytest.mark.parametrize("place", [(0.0, 0.0), (-3.0, 10.0)])
def test_positions_in_a_recording_go_before_what_the_array_says(estimated, tmp_path, wired, array, place):
    order = [3, 0, 4, 1, 2]  # channels of the ring in another order, with the positions in the same
    positions = ring()[order] + [*place, 2.0]
    path, cut = recorded(tmp_path, wired[:, order], positions)
    estimates, err = estimated(path, array, *cut)
    assert np.abs(wrapped(estimates["doa_deg"][:, 0] - AZIMUTH)).max() < 1.0
    assert err.count("\n") == 1 and f"the channels are elements 2, 0, 1, 4, 3 of array {array}, and are taken so" in err
    np.savez(tmp_path / "a.npz", snapshots=wired[:, order], positions_wavelengths=positions)
    from_npz, err = estimated(tmp_path / "a.npz", array)
    assert np.array_equal(from_npz["doa_deg"], estimates["doa_deg"]) and "elements 2, 0, 1, 4, 3" in err


def test_the_mirrored_ring_is_named_so(estimated, tmp_path, wired):
    path, cut = recorded(tmp_path, wired, ring())
    estimates, err = estimated(path, "kraken5", *cut)
    assert np.abs(wrapped(estimates["doa_deg"][:, 0] - AZIMUTH)).max() < 1.0
    assert "elements 0, 4, 3, 2, 1 (clockwise) of array kraken5" in err
    assert estimated(path, "krakensdr", *cut)[1] == ""  # as it says itself
    mirrored = estimated(path, "kraken5", *cut, "--ignore-positions")[0]["doa_deg"][:, 0]
    assert np.abs(wrapped(mirrored + AZIMUTH)).max() < 1.0


def test_a_ring_turned_on_its_mast_is_refused_with_the_angle(refused, tmp_path, wired):
    path, cut = recorded(tmp_path, wired, ring(first_deg=90.0))  # numbered from north, x to the east
    words = ("-o", tmp_path / "out.npz", "--array", "krakensdr", *cut)
    said = refused("estimate", path, *words)
    assert "found it turned by 90.0 deg counter-clockwise, by which every bearing would be off" in said
    np.savez(tmp_path / "a.npz", snapshots=wired, positions_wavelengths=ring(first_deg=-20.0))
    assert "turned by 20.0 deg clockwise" in refused("estimate", tmp_path / "a.npz", *words[:4])
    assert not (tmp_path / "out.npz").exists()


def test_published_estimates_have_the_order_too(doamc, tmp_path, wired):
    path, cut = recorded(tmp_path, wired, ring())
    log = tmp_path / "log.jsonl"
    status, _, err = doamc("publish", path, "--array", "kraken5", "--method", "posterior", "--sources", 1, *cut,
                           "--rate", 1000, "--wait", 0, "--address", "tcp://127.0.0.1:*", "--record", log)  # fmt: skip
    assert status == 0 and "(clockwise)" in err
    messages = [json.loads(line) for line in log.read_text().splitlines()]
    found = [m["sources"][0]["azimuth_deg"] for m in messages]
    assert np.abs(wrapped(np.subtract(found, AZIMUTH))).max() < 1.0
    assert all(m["channels"] == [0, 4, 3, 2, 1] for m in messages)


def test_every_numbering_makes_the_same_batch_bit_for_bit():
    rng = np.random.default_rng(3)
    y = torch.from_numpy(rng.standard_normal((2, 5, 64)) + 1j * rng.standard_normal((2, 5, 64)))
    whole = make_batch(y)
    for channels in itertools.permutations(range(5)):
        batch = make_batch(y[:, list(channels)], 5, channels=channels)
        assert torch.equal(batch.snapshots, whole.snapshots) and torch.equal(batch.covariance, whole.covariance)


@pytest.mark.parametrize(("like", "method"), [("uca5", "ml"), ("kraken5", "posterior"), ("ula4", "root-music")])
def test_every_numbering_gives_the_same_estimates_bit_for_bit(doamc, estimated, tmp_path, like, method):
    doamc("simulate", like, "-o", tmp_path / "in.npz", "--batches", 2, "--snapshots", 50, "--sources", 1)
    with np.load(tmp_path / "in.npz") as z:
        y = z["snapshots"]
    before, _ = estimated(tmp_path / "in.npz", like, method=method)
    rng = np.random.default_rng(5)
    for _ in range(3):
        channels = rng.permutation(y.shape[1])
        np.savez(tmp_path / "b.npz", snapshots=y[:, channels])
        after, _ = estimated(tmp_path / "b.npz", numbered(tmp_path / "n.toml", like, channels), method=method)
        turned = list(channels) != sorted(channels)
        assert after.pop("channels", np.arange(y.shape[1])).tolist() == channels.tolist() and set(after) == set(before)
        assert turned and all(np.testing.assert_array_equal(after[k], before[k]) is None for k in before)


def test_a_dead_channel_is_named_as_it_is_plugged_in(refused, tmp_path):
    y = np.ones((1, 5, 20), complex)
    y[0, 1] = 0.0
    np.savez(tmp_path / "a.npz", snapshots=y)
    words = ("-o", tmp_path / "o.npz", "--array", "krakensdr", "--method", "music", "--sources", 1)
    assert "channel 1 is dead" in refused("estimate", tmp_path / "a.npz", *words)


def test_simulations_are_written_by_stream_and_say_so(doamc, estimated, tmp_path):
    words = ("--batches", 3, "--snapshots", 100, "--sources", 1, "--seed", 4)
    for array in ("kraken5", "krakensdr"):
        assert doamc("simulate", array, "-o", tmp_path / f"{array}.npz", *words)[0] == 0
        assert doamc("simulate", array, "-o", tmp_path / f"{array}.sigmf-meta", *words)[0] == 0
    ours, plain = (dict(np.load(tmp_path / f"{a}.npz")) for a in ("krakensdr", "kraken5"))
    order = [0, 4, 3, 2, 1]
    assert ours.pop("channels").tolist() == order
    assert ours.pop("positions_wavelengths") == pytest.approx(ring())
    for key in plain:  # the same scene, seen through other cables
        rows = (slice(None), order) if key in ("snapshots", "clean") else ...
        assert np.array_equal(ours[key], plain[key][rows])
    assert set(ours) == set(plain)
    recording = Recording(tmp_path / "krakensdr.sigmf-meta")
    assert np.array_equal(recording.read(0, 50), Recording(tmp_path / "kraken5.sigmf-meta").read(0, 50)[order])
    assert recording.metadata["global"]["doamc:channels"] == order
    wavelength = 299792458.0 / recording.frequency_hz
    assert recording.positions_m / wavelength == pytest.approx(ring())
    first, said = estimated(tmp_path / "kraken5.npz", "kraken5", method="music")
    for name, array in (("krakensdr.npz", "krakensdr"), ("krakensdr.npz", "kraken5")):
        found, said = estimated(tmp_path / name, array, method="music")
        assert np.array_equal(found["doa_deg"], first["doa_deg"]) and ("elements" in said) == (array == "kraken5")


def test_missing_elements_are_those_of_the_array(estimated, tmp_path):
    rng, spec = np.random.default_rng(0), load_spec("ula8")
    az = np.radians(20.0)
    a = np.exp(2j * np.pi * spec.positions.numpy() @ [np.cos(az), np.sin(az), 0.0])
    s, n = ((rng.standard_normal((2, k, 100)) + 1j * rng.standard_normal((2, k, 100))) for k in (1, 8))
    y = a[:, None] * s + 0.1 * n
    np.savez(tmp_path / "a.npz", snapshots=y)
    np.savez(tmp_path / "b.npz", snapshots=y[:, ::-1])
    array = numbered(tmp_path / "n.toml", "ula8", range(7, -1, -1))
    plain, _ = estimated(tmp_path / "a.npz", "ula8", "--missing", "6", method="root-music")
    other, _ = estimated(tmp_path / "b.npz", array, "--missing", "6", method="root-music")
    assert np.array_equal(plain["doa_deg"], other["doa_deg"]) and plain["doa_deg"] == pytest.approx(20.0, abs=1.0)
