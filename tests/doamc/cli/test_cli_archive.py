"""``doamc estimate`` of many inputs: the same bits however it is cut, wherever it runs, however often it was ended."""

import json
import signal
import time

import numpy as np
import pyarrow.parquet as pq
import pytest

from doamc.errors import ClusterError
from doamc.estimates.parquet_table import read_provenance
from doamc.snapshots.npz import write_snapshots
from tests.doamc.store import BUCKET, object_store, tree, web_server

#: a method that draws, and one that is quick
DRAWS, QUICK = ("--method", "em:samples=1", "--sources", 2), ("--method", "music", "--sources", 2)


@pytest.fixture
def archive(doamc, tmp_path):
    """An archive: 600 batches in an .npz file, a recording of 400 in a folder."""
    root = tmp_path / "in"
    (root / "sub").mkdir(parents=True)
    doamc("simulate", "ula8", "-o", root / "a.npz", "--batches", 600, "--snapshots", 16, "--known-noise")
    doamc("simulate", "ula8", "-o", root / "sub" / "b.sigmf-meta", "--batches", 400, "--snapshots", 16, "--seed", 3)
    return root


def results(folder):
    return {name: data for name, data in tree(folder).items() if not name.startswith(".")}


def files(folder):
    return {name: data for name, data in tree(folder).items() if name.endswith(".parquet")}


def run(doamc, archive, out, *options):
    return doamc("estimate", archive, "-o", out, "--array", "ula8", "--snapshots", 16, *options)


def test_an_archive_becomes_a_table_a_file(doamc, archive, tmp_path):
    status, text, err = run(doamc, archive, tmp_path / "out", *QUICK, "--workers", 0)
    assert (status, err) == (0, "") and "2 of 2 inputs, 1000 batches, ula8, music" in text
    assert list(tree(tmp_path / "out")) == ["a.npz.parquet", "manifest.jsonl", "sub/b.sigmf-meta.parquet"]
    table = pq.read_table(tmp_path / "out" / "a.npz.parquet")
    assert table["batch"].to_pylist() == list(range(600))
    with np.load(archive / "a.npz") as truth:
        error = np.array(table["doa_deg"].to_pylist()) - truth["doa_deg_true"]
    assert np.median(np.abs(error)) < 2.0  # without coupling, 16 snapshots
    made = read_provenance(tmp_path / "out" / "a.npz.parquet")
    assert made["settings"]["method"] == "music" and made["input"]["digest"] and made["array"]["name"] == "ula8"
    recorded = pq.read_table(tmp_path / "out" / "sub" / "b.sigmf-meta.parquet")
    assert recorded["start_s"].to_pylist()[1] == pytest.approx(16 / 250e3)
    assert set(recorded["frequency_hz"].to_pylist()) == {433.92e6}


def test_the_estimates_are_those_of_one_input_alone(doamc, archive, tmp_path):
    run(doamc, archive, tmp_path / "out", *QUICK, "--workers", 0, "--format", "npz")
    doamc("estimate", archive / "a.npz", "-o", tmp_path / "a.npz", "--array", "ula8", "--snapshots", 16, *QUICK)
    with np.load(tmp_path / "out" / "a.npz.npz") as many, np.load(tmp_path / "a.npz") as one:
        assert set(many.files) == set(one.files)
        for name in one.files:
            np.testing.assert_array_equal(many[name], one[name])


def test_matrices_of_a_table_are_one_reshape_away(doamc, archive, tmp_path):
    """As docs/scale.md reads them: the couplings of the .npz file, to the last bit."""
    for form in ("npz", "parquet"):
        run(doamc, archive, tmp_path / form, "--method", "ml", "--sources", 2, "--batches", 20, "--include", "a.npz",
            "--format", form, "--workers", 0)  # fmt: skip
    path = tmp_path / "parquet" / "a.npz.parquet"
    table, n = pq.read_table(path), read_provenance(path)["input"]["shape"][1]
    re, im = (table[name].combine_chunks().flatten().to_numpy() for name in ("coupling_re", "coupling_im"))
    with np.load(tmp_path / "npz" / "a.npz.npz") as arrays:
        assert np.array_equal((re + 1j * im).reshape(-1, n, n), arrays["coupling"])


@pytest.mark.slow
def test_two_workers_give_the_same_bits(doamc, archive, tmp_path):
    run(doamc, archive, tmp_path / "one", *DRAWS, "--workers", 0)
    status, _, err = run(doamc, archive, tmp_path / "two", *DRAWS, "--workers", 2)
    assert (status, err) == (0, "")
    assert files(tmp_path / "one") == files(tmp_path / "two") and len(files(tmp_path / "one")) == 2


def test_any_cut_gives_the_same_bits(doamc, archive, tmp_path, monkeypatch):
    monkeypatch.setattr("doamc.cli.chunks.CHUNK_BATCHES", 16)
    for most in (1, 3):
        monkeypatch.setattr("doamc.cli.archive._MOST_CHUNKS", most)
        monkeypatch.setattr("doamc.cli.archive._TASK_S", 1e9)
        run(doamc, archive, tmp_path / str(most), *DRAWS, "--workers", 0, "--batches", 40, "--include", "a.npz")
    assert files(tmp_path / "1") == files(tmp_path / "3") and len(files(tmp_path / "1")) == 1


def test_a_run_that_was_ended_goes_on(doamc, archive, tmp_path, monkeypatch):
    run(doamc, archive, tmp_path / "whole", *QUICK, "--workers", 0)
    from doamc.cluster.manifest import Manifest

    add, count = Manifest.add_part, []

    def ended(self, *arguments):
        if len(count) == 2:
            raise KeyboardInterrupt
        count.append(arguments[:2])
        add(self, *arguments)

    monkeypatch.setattr(Manifest, "add_part", ended)
    assert run(doamc, archive, tmp_path / "out", *QUICK, "--workers", 0)[0] == 130
    assert not files(tmp_path / "out")
    monkeypatch.setattr(Manifest, "add_part", lambda self, *a: (count.append(a[:2]), add(self, *a)))
    assert run(doamc, archive, tmp_path / "out", *QUICK, "--workers", 0)[0] == 0
    assert files(tmp_path / "out") == files(tmp_path / "whole")
    assert sorted(count) == [
        ("a.npz", 0),
        ("a.npz", 256),
        ("a.npz", 512),
        ("sub/b.sigmf-meta", 0),
        ("sub/b.sigmf-meta", 256),
    ]
    before = results(tmp_path / "out")
    assert run(doamc, archive, tmp_path / "out", *QUICK, "--workers", 0)[0] == 0
    assert results(tmp_path / "out") == before and len(count) == 5  # nothing is done twice


def test_a_result_that_was_removed_is_made_again(doamc, archive, tmp_path):
    run(doamc, archive, tmp_path / "out", *QUICK, "--workers", 0)
    before = files(tmp_path / "out")
    (tmp_path / "out" / "a.npz.parquet").unlink()
    assert run(doamc, archive, tmp_path / "out", *QUICK, "--workers", 0)[0] == 0
    assert files(tmp_path / "out") == before


def test_what_fails_three_times_is_set_aside_and_listed(doamc, archive, tmp_path):
    bad = np.ones((300, 8, 16), np.complex64)
    bad[299] = np.nan
    write_snapshots(archive / "bad.npz", snapshots=bad)
    (archive / "no.npz").write_text("no archive")
    status, text, err = run(doamc, archive, tmp_path / "out", *QUICK, "--workers", 0)
    assert status == 1 and "2 of 4 inputs" in text
    assert [line.partition(": ")[2].split(":")[0] for line in err.splitlines()] == ["set aside", "set aside"]
    assert "no.npz: " in err and "bad.npz, batches from 256 on: snapshots hold NaN" in err
    assert sorted(files(tmp_path / "out")) == ["a.npz.parquet", "sub/b.sigmf-meta.parquet"]
    lines = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()]
    assert {line["failed"] for line in lines if "failed" in line} == {"no.npz", "bad.npz"}
    write_snapshots(archive / "bad.npz", snapshots=np.random.default_rng(0).normal(size=(300, 8, 16)) + 0j)
    (archive / "no.npz").unlink()
    assert run(doamc, archive, tmp_path / "out", *QUICK, "--workers", 0)[0] == 0
    assert len(files(tmp_path / "out")) == 3


def test_far_away_is_as_here(doamc, archive, tmp_path, monkeypatch):
    run(doamc, archive, tmp_path / "here", *QUICK, "--workers", 0)
    with object_store(monkeypatch) as put, web_server(archive) as address:
        for key, data in tree(archive).items():
            put(f"week/{key}", data)
        run(doamc, f"s3://{BUCKET}/week", tmp_path / "far", *QUICK, "--workers", 0)
        status, _, err = run(doamc, f"{address}/sub/b.sigmf-meta", tmp_path / "web", *QUICK, "--workers", 0)
    assert (status, err) == (0, "")
    pairs = [
        ("far/a.npz", "a.npz"),
        ("far/sub/b.sigmf-meta", "sub/b.sigmf-meta"),
        ("web/b.sigmf-meta", "sub/b.sigmf-meta"),
    ]
    for far, here in pairs:
        there, tables = pq.read_table(tmp_path / f"{far}.parquet"), pq.read_table(tmp_path / f"here/{here}.parquet")
        assert there.replace_schema_metadata() == tables.replace_schema_metadata()


def test_a_server_with_a_certificate_of_ones_own_is_read_when_its_authority_is_named(
    program, doamc, archive, tmp_path, monkeypatch
):
    """``SSL_CERT_FILE`` names it, as everywhere where OpenSSL is; without it the server is refused."""
    import ssl

    import trustme

    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    words = ("--array", "ula8", "--snapshots", 16, *QUICK, "--workers", 0)
    with web_server(archive, tls) as address:
        url = f"{address}/sub/b.sigmf-meta"
        status, _, err = doamc("estimate", url, "-o", tmp_path / "no", *words)
        assert status == 1 and "certificate" in err.lower()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        process = program("estimate", url, "-o", tmp_path / "out", *words)
        assert (process.wait(300), process.stderr.read()) == (0, "")
    doamc("estimate", archive / "sub" / "b.sigmf-meta", "-o", tmp_path / "here", "--format", "parquet", *words)
    there, here = (pq.read_table(tmp_path / k / "b.sigmf-meta.parquet") for k in ("out", "here"))
    assert there.replace_schema_metadata() == here.replace_schema_metadata()


def test_options_that_do_not_fit_are_refused(refused, archive, tmp_path):
    out = ("-o", tmp_path / "out")
    assert "add --array" in refused("estimate", archive, *out)
    assert "--missing" in refused("estimate", archive, *out, "--array", "ula8", "--missing", 1)
    assert "in any order" in refused("estimate", archive, *out, "--array", "ula8", "--method", "self-calibrating")
    assert "--threads 2" in refused("estimate", archive, *out, "--array", "ula8", "--threads", 2)
    assert "found both" in refused(
        "estimate", archive, *out, "--array", "ula8", "--workers", 1, "--scheduler", "tcp://127.0.0.1:1"
    )
    assert "--tls-ca" in refused("estimate", archive, *out, "--array", "ula8", "--tls-ca", archive)
    assert "copy them afterwards" in refused("estimate", archive, "-o", "s3://a/b", "--array", "ula8")
    assert "method must be one of" in refused("estimate", archive, *out, "--array", "ula8", "--method", "none")
    assert not (tmp_path / "out" / "manifest.jsonl").exists()


@pytest.mark.slow
def test_a_killed_run_leaves_no_worker_and_goes_on(program, doamc, archive, tmp_path):
    run(doamc, archive, tmp_path / "whole", *DRAWS, "--workers", 0)
    words = ("estimate", archive, "-o", tmp_path / "out", "--array", "ula8", "--snapshots", 16, *DRAWS, "--workers", 2)
    process = program(*words)
    manifest = tmp_path / "out" / "manifest.jsonl"
    while process.poll() is None and not (manifest.exists() and '"part"' in manifest.read_text()):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    again = program(*words)
    assert (again.wait(200), again.stderr.read()) == (0, "")
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_a_worker_with_another_array_or_other_weights_refuses(doamc, archive, tmp_path):
    from doamc.cli.archive_checks import spec_of

    run(doamc, archive, tmp_path / "out", "--method", "vae", "--sources", 2, "--batches", 2, "--workers", 0)
    settings = json.loads((tmp_path / "out" / "manifest.jsonl").read_text().splitlines()[0])["settings"]
    assert len(settings["weights"]) == 64 and spec_of(settings).name == "ula8"
    for key, what in (("array_digest", "expected array ula8"), ("weights", "expected weights of array ula8")):
        with pytest.raises(ClusterError, match=what):
            spec_of(settings | {key: "0"})
