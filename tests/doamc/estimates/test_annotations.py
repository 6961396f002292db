"""Estimates as annotations stand at their samples, in valid SigMF."""

import json
import tarfile

import numpy as np
import pytest

from doamc.errors import RecordingError
from doamc.estimates.outputs import Annotations
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.sigmf_write import write_recording
from tests.doamc.estimates.bearings import message


def test_annotations_stand_at_their_samples_and_replace_older_ones(tmp_path):
    path = tmp_path / "a.sigmf-meta"
    rng = np.random.default_rng(0)
    write_recording(
        path, rng.standard_normal((5, 3000)) * (1 + 1j), sample_rate_hz=1000.0, frequency_hz=1e8, azimuth_deg=[5.0]
    )
    before = Recording(path).metadata["annotations"]
    assert len(before) == 1
    output = Annotations(path)
    output.write(message([30.0, 200.0], [0.5, 1.0], [0.0, -3.0], sample_time=0.5, seq=7))
    output.write(message([31.0], sample_time=2.9))  # reaches beyond the end
    output.write(message([32.0], sample_time=None))
    output.close()
    recording = Recording(path)  # it is still valid SigMF with the same data
    made = [a for a in recording.metadata["annotations"] if a.get("core:generator") == "doamc"]
    assert [(a["core:sample_start"], a["core:sample_count"]) for a in made] == [(500, 256)] * 2
    assert [a["spatial:signal_bearing"]["azimuth"] for a in made] == [330.0, 160.0]
    assert made[0]["doamc:azimuth_deg"] == 30.0 and made[0]["doamc:std_deg"] == 0.5 and made[0]["doamc:seq"] == 7
    again = Annotations(path)
    again.write(message([40.0], sample_time=1.0))
    again.close()
    annotations = Recording(path).metadata["annotations"]
    assert [a["core:sample_start"] for a in annotations] == [0, 1000] and before[0] in annotations
    with pytest.raises(RecordingError, match="found no file"):
        Annotations(tmp_path / "none.sigmf-meta")


def test_annotations_of_several_captures_stand_where_their_time_is(tmp_path):
    """With core:offset, and a gap of two seconds in the middle; an archive cannot be annotated."""
    path = tmp_path / "a.sigmf-meta"
    write_recording(path, np.ones((5, 2000), complex), sample_rate_hz=1000.0, frequency_hz=1e8)
    table = json.loads(path.read_text())
    table["global"]["core:offset"] = 5000
    moments = zip((5000, 6000), ("2026-01-02T03:04:05Z", "2026-01-02T03:04:08Z"), strict=True)
    table["captures"] = [{"core:sample_start": start, "core:datetime": moment} for start, moment in moments]
    path.write_text(json.dumps(table))
    times = (0.1, 1.5, 3.2, 3.9)  # the second lies in the gap, the last reaches beyond the end
    output = Annotations(path)
    for time_s in times:
        output.write(message([30.0], sample_time=time_s))
    output.close()
    made = [a for a in Recording(path).metadata["annotations"] if a.get("core:generator") == "doamc"]
    assert [a["core:sample_start"] for a in made] == [5100, 6200]
    with tarfile.open(tmp_path / "a.sigmf", "w") as tar:
        for file in (path, path.with_suffix(".sigmf-data")):
            tar.add(file, file.name)
    with pytest.raises(RecordingError, match="found an archive; unpack it"):
        Annotations(tmp_path / "a.sigmf")


@pytest.mark.parametrize("heading_deg", [None, 70.0])
def test_elevations_stand_in_the_bearing_of_a_signal(tmp_path, heading_deg):
    """Also where the capture says otherwise how the array points, and the azimuth is counted from there."""
    path = tmp_path / "a.sigmf-meta"
    write_recording(path, np.ones((5, 2000), complex), sample_rate_hz=1000.0, frequency_hz=1e8)
    table = json.loads(path.read_text())
    table["captures"][0]["spatial:aperture_azimuth"] = 10.0
    path.write_text(json.dumps(table))
    output = Annotations(path)
    told = message([30.0], sample_time=0.5, heading_deg=heading_deg)
    told["sources"][0] |= {"elevation_deg": 41.25, "elevation_std_deg": 0.5}
    output.write(told)
    output.close()
    (made,) = Recording(path).metadata["annotations"]
    assert made["spatial:signal_bearing"] == {"azimuth": 330.0 if heading_deg is None else 30.0, "elevation": 41.25}
    assert made["core:label"].endswith(
        "30.00 deg, elevation 41.25 deg" if heading_deg is None else "elevation 41.25 deg"
    )
    assert made["doamc:elevation_deg"] == 41.25 and made["doamc:elevation_std_deg"] == 0.5
