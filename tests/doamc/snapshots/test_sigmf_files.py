"""SigMF recordings: every data type, blocks, truncation and other damage, truth beside them."""

import json
import math
import tracemalloc

import numpy as np
import pytest

from doamc.errors import RecordingError
from doamc.snapshots.sigmf_files import Recording
from tests.doamc.snapshots.recordings import Y, edit, write


@pytest.mark.parametrize("name", "cf32_le cf32_be cf64_le ci8 cu8 ci16_le ci16_be cu16_le ci32_le cu32_be".split())
def test_every_complex_data_type_reads_to_its_own_resolution(tmp_path, name):
    kind = np.dtype(
        {"le": "<", "be": ">"}.get(name[-2:], "=")
        + {"f": "f", "i": "i", "u": "u"}[name[1]]
        + str(int(name[2:].split("_")[0]) // 8)
    )
    parts = np.stack([Y.real.T, Y.imag.T], -1)
    step = 0.0
    if kind.kind != "f":
        full = 2.0 ** (8 * kind.itemsize - 1)
        parts, step = np.round(parts * full) + (full if kind.kind == "u" else 0), 0.5 / full
    (tmp_path / "r.sigmf-data").write_bytes(parts.astype(kind).tobytes())
    meta = {
        "global": {"core:datatype": name, "core:version": "1.2.0", "core:num_channels": 3},
        "captures": [{"core:sample_start": 0}],
        "annotations": [],
    }
    (tmp_path / "r.sigmf-meta").write_text(json.dumps(meta))
    r = Recording(tmp_path / "r.sigmf-meta", 3)
    got = r.read(7, 11)
    assert got.shape == (3, 11) and got.dtype == np.complex64
    assert abs(got - Y[:, 7:18]).max() <= math.sqrt(2) * step + 1e-7
    assert (r.sample_rate_hz, r.frequency_hz, r.array) == (None, None, None)


def test_blocks_are_consecutive_evenly_spaced_and_independent_of_chunks(tmp_path):
    r = Recording(write(tmp_path))
    assert r.starts(4, 10).tolist() == [0, 10, 20, 30]
    assert r.starts(3, 4).tolist() == [0, 18, 36]
    assert r.starts(1, 40).tolist() == [0]
    cut = r.cut(3, 4)
    np.testing.assert_allclose(cut[1], Y[:, 18:22], atol=1e-6)
    for size in (1, 2, 5):
        np.testing.assert_array_equal(np.concatenate(list(r.blocks(3, 4, size))), cut)
    for batches, length in ((0, 4), (2, 0), (5, 10)):
        with pytest.raises(RecordingError, match="expected"):
            r.cut(batches, length)
    with pytest.raises(RecordingError, match=r"within 0\.\.40"):
        r.read(35, 6)


def test_blocks_hold_a_few_batches_only(tmp_path):
    path = write(tmp_path, samples=np.ones((4, 200_000), np.complex64))  # 6.4 MB
    r = Recording(path)
    tracemalloc.start()
    assert sum(len(x) for x in r.blocks(500, 400, 20)) == 500
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e6  # a block of 0.26 MB, its parts and the one before


def test_truth_beside_a_recording_is_found(tmp_path):
    path = write(tmp_path)
    (tmp_path / "r.truth.json").write_text('{"azimuth_deg": [1.5], "snr_db": 15}')
    assert Recording(path).truth["azimuth_deg"] == [1.5]
    (tmp_path / "r.truth.json").write_text("[")
    with pytest.raises(RecordingError, match="expected a JSON object"):
        _ = Recording(path).truth


def test_truncated_data_are_refused(tmp_path):
    path = write(tmp_path)
    data = path.with_suffix(".sigmf-data")
    whole = data.read_bytes()
    for keep in (len(whole) - 5, len(whole) - 24, 0):  # within a sample; a whole sample of 3 channels; all of it
        data.write_bytes(whole[:keep])
        with pytest.raises(RecordingError, match="truncated"):
            Recording(path)
    edit(path, lambda m: m["global"].pop("doamc:sample_count"))
    edit(path, lambda m: m["captures"].append({"core:sample_start": 39, "core:frequency": 1.0}))
    data.write_bytes(whole[: 30 * 24])  # captures speak of sample 39
    with pytest.raises(RecordingError, match="truncated"):
        Recording(path)


def test_data_truncated_while_reading_are_an_error(tmp_path):
    path = write(tmp_path)
    r = Recording(path)
    with open(path.with_suffix(".sigmf-data"), "r+b") as file:
        file.truncate(100)
    with pytest.raises(RecordingError, match=r"samples|truncated"):
        r.read(0, 40)


def test_replaced_data_are_refused_by_their_checksum(tmp_path):
    path = write(tmp_path)
    data = path.with_suffix(".sigmf-data")
    data.write_bytes(bytes(len(data.read_bytes())))
    with pytest.raises(RecordingError, match="sha512"):
        Recording(path)
    assert Recording(path, verify=False).n_samples == 40


def test_missing_files_and_foreign_names(tmp_path):
    with pytest.raises(RecordingError, match=r"found no file r\.sigmf-meta"):
        Recording(tmp_path / "r.sigmf-meta")
    with pytest.raises(RecordingError, match=r"expected a \.sigmf-meta file"):
        Recording(tmp_path / "r.wav")
    path = write(tmp_path)
    path.write_text("{")
    with pytest.raises(RecordingError, match="not SigMF metadata"):
        Recording(path)
    write(tmp_path)
    path.with_suffix(".sigmf-data").unlink()
    with pytest.raises(RecordingError, match=r"found no file r\.sigmf-data"):
        Recording(path)


def test_the_shipped_recording_reads(request):
    path = request.config.rootpath / "flowgraphs" / "recordings" / "kraken5_mixed_2.sigmf-meta"
    r = Recording(path, 5)
    assert (r.n_samples, r.sample_rate_hz, r.frequency_hz) == (60000, 250e3, 300e6)
    assert r.truth["azimuth_deg"] == [48.2, 231.5]
    power = (abs(r.read(0, 60000)) ** 2).mean(1)
    assert power.max() / power.min() < 4  # five live channels
