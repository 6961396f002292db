"""A SigMF collection is one array; recordings that do not fit together are named."""

import hashlib
import json

import numpy as np
import pytest

from doamc.errors import RecordingError
from doamc.snapshots.captures import open_capture
from doamc.snapshots.finding import find_inputs
from doamc.snapshots.sigmf_collection import Collection
from tests.doamc.snapshots.recordings import RAMP, RATE, capture, save


def streams(tmp_path, hashed=True, **change):
    """A collection of three recordings of one channel each; change: fields of the second."""
    names = [f"ch{m}" for m in range(3)]
    for m, name in enumerate(names):
        save(tmp_path / name, **({"captures": [capture(0, 1e8)], "y": RAMP[m : m + 1]} | (change if m == 1 else {})))
    told = [{"name": n, "hash": hashlib.sha512((tmp_path / f"{n}.sigmf-meta").read_bytes()).hexdigest()} for n in names]
    table = {"collection": {"core:version": "1.2.0", "core:streams": told if hashed else [[n, ""][:1] for n in names]}}
    (tmp_path / "all.sigmf-collection").write_text(json.dumps(table))
    return tmp_path / "all.sigmf-collection"


@pytest.mark.parametrize("hashed", [True, False])
def test_a_collection_is_one_array(tmp_path, hashed):
    c = open_capture(streams(tmp_path, hashed), 3)
    assert np.array_equal(c.read(10, 50), RAMP[:, 10:60])
    assert (c.n_channels, c.n_samples, c.sample_rate_hz, c.frequency_hz, c.remarks) == (3, 100, RATE, 1e8, [])
    with pytest.raises(RecordingError, match="expected 5 channels"):
        open_capture(tmp_path / "all.sigmf-collection", 5)


def test_recordings_of_a_collection_that_differ_are_told(tmp_path):
    shorter = Collection(streams(tmp_path, y=RAMP[1:2, :70]))
    assert shorter.n_samples == 70 and "differ in length; 70 samples" in shorter.remarks[0]
    assert shorter.segments[-1].stop == 70
    for change in ({"captures": [capture(0, 2e8)]}, {"sample_rate": 5.0}):
        with pytest.raises(RecordingError, match=r"found others in ch1\.sigmf-meta"):
            Collection(streams(tmp_path, **change))
    path = streams(tmp_path)
    save(tmp_path / "ch2", y=RAMP[:1])
    with pytest.raises(RecordingError, match=r"ch2\.sigmf-meta does not agree with the hash"):
        Collection(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"collection": {"core:streams": []}}',
                                  '{"collection": {"core:streams": [{"name": "../ch0"}]}}',
                                  '{"collection": {"core:streams": [7]}}'])  # fmt: skip
def test_what_is_no_collection_is_named(tmp_path, text):
    (tmp_path / "c.sigmf-collection").write_text(text)
    with pytest.raises(RecordingError, match=r"expected|not SigMF"):
        Collection(tmp_path / "c.sigmf-collection")


def test_a_collection_that_sigmf_python_wrote_is_one_array(tmp_path):
    """As its own class writes one, with the hash of each recording's metadata; of a folder it is the only input."""
    import sigmf

    rng = np.random.default_rng(0)
    rows = (rng.standard_normal((3, 500)) + 1j * rng.standard_normal((3, 500))).astype(np.complex64)
    for k, row in enumerate(rows):
        row.tofile(tmp_path / f"c{k}.sigmf-data")
        one = sigmf.SigMFFile(
            data_file=str(tmp_path / f"c{k}.sigmf-data"),
            global_info={"core:datatype": "cf32_le", "core:sample_rate": 1e6, "core:version": "1.2.0"},
        )
        one.add_capture(0, metadata={"core:frequency": 433e6})
        one.tofile(str(tmp_path / f"c{k}.sigmf-meta"))
    names = [f"c{k}.sigmf-meta" for k in range(3)]
    sigmf.SigMFCollection(names, base_path=str(tmp_path)).tofile(str(tmp_path / "all.sigmf-collection"))
    (found,) = find_inputs([str(tmp_path)])
    assert found.name == "all.sigmf-collection"
    capture = open_capture(found.where, 3)
    assert np.array_equal(capture.read(0, 500), rows) and capture.frequency_hz == 433e6
