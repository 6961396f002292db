"""Metadata: moments in UTC, and whatever does not fit is named."""

import numpy as np
import pytest

from doamc.errors import RecordingError
from doamc.snapshots.sigmf_files import Recording
from tests.doamc.snapshots.recordings import capture, edit, save, write


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m["global"].update({"core:datatype": "rf32_le"}), "expected complex samples"),
        (lambda m: m["global"].update({"core:datatype": "cf33_le"}), "not SigMF metadata"),
        (lambda m: m["global"].update({"core:num_channels": 4}), "expected 3 channels"),
        (lambda m: m["global"].pop("core:num_channels"), r"no core:num_channels, which stands for 1; add it \(3\)"),
        (lambda m: m["global"].update({"core:metadata_only": True}), "metadata only"),
        (lambda m: m["global"].update({"core:dataset": "../r.sigmf-data"}), "a file beside it"),
        (lambda m: m["global"].update({"core:dataset": "x" * 5000}), "found no file x"),
        (lambda m: m["global"].update({"core:trailing_bytes": 4}), "truncated"),
        (lambda m: m["captures"][0].update({"core:header_bytes": 2000}), "header and trailing bytes"),
        (lambda m: m["global"].update({"core:offset": 7}), r"captures from sample 7 \(core:offset\) on"),
        (lambda m: m["global"].update({"core:sample_rate": 0.0}), "global/core:sample_rate: 0"),
        (lambda m: m["global"].update({"core:sample_rate": None}), "not SigMF metadata"),
        (lambda m: m["global"].update({"core:sample_rate": 1e-320}), "finite number, found 1e-320"),
        (lambda m: m["global"].update({"doamc:sample_count": 1.5}), "whole number"),
        (lambda m: m["captures"][0].update({"doamc:sample_time": "soon"}), "finite number"),
        (lambda m: m["captures"][0].pop("core:sample_start"), "captures, each with core:sample_start"),
        (lambda m: m.update({"captures": {}}), "captures, each with core:sample_start"),
        (lambda m: m["captures"].append({"core:sample_start": 0.5}), "not SigMF metadata"),
        (lambda m: m.pop("global"), "not SigMF metadata"),
        (lambda m: m.pop("captures"), "not SigMF metadata"),
        (lambda m: m["global"].pop("core:datatype"), "not SigMF metadata"),
    ],
)
def test_metadata_that_do_not_fit_are_named(tmp_path, change, message):
    path = write(tmp_path)
    edit(path, change)
    with pytest.raises(RecordingError, match=message):
        Recording(path, 3)


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [("1970-01-01T00:01:00Z", 60.0), ("1970-01-01T02:01:00.5+02:00", 60.5), ("1970-01-01T00:01:00", 60.0)],
)
def test_moments_are_read_in_utc(tmp_path, moment, seconds):
    assert Recording(save(tmp_path / "r", [capture(0, core__datetime=moment)])).segments[0].time == seconds


def test_a_moment_that_is_none_is_told_and_left_out(tmp_path):
    r = Recording(save(tmp_path / "r", [capture(0, core__datetime="2026-02-31T00:00:00Z")]))
    assert r.segments[0].time is None and "is no moment" in r.remarks[0]


def test_the_last_of_many_captures_is_checked_as_the_first(tmp_path):
    """Of 2000 captures the schema sees half; what is used of the others is checked by itself."""
    captures, y = [capture(k) for k in range(2000)], np.ones((1, 2000), np.complex64)
    assert len(Recording(save(tmp_path / "r", captures, y=y)).segments) == 2000
    wrongs = ({"core:sample_start": 5}, {"core:sample_start": 0.5}, {"core:frequency": None}, {"core:header_bytes": -1})
    for wrong in wrongs:
        changed = [*captures[:-1], captures[-1] | wrong]
        with pytest.raises(RecordingError, match="expected"):
            Recording(save(tmp_path / "r", changed, y=y))


@pytest.mark.parametrize(
    "text",
    ['{"global": NaN}', "[" * 100_000, '{"a": ' * 2000, "\xff", "1" * 5000, '{"captures": [' + "{}," * 5_000_000],
)
def test_hostile_json_is_refused(tmp_path, text):
    path = save(tmp_path / "r")
    path.write_text(text, encoding="latin-1")
    with pytest.raises(RecordingError, match=r"not SigMF metadata|at most \d+ entries") as caught:
        Recording(path)
    assert len(str(caught.value)) < 400 + len(str(path))
