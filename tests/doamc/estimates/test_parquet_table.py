"""Estimates as bytes, and as a Parquet file."""

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from doamc.errors import SnapshotError
from doamc.estimates.estimate_bytes import from_bytes, to_bytes
from doamc.estimates.estimate_file import bearing_arrays, estimate_arrays
from doamc.estimates.parquet_table import EstimateTable, read_provenance
from doamc.estimators.estimates import Estimates


@pytest.fixture
def estimates():
    """Three batches with 2, 1 and 0 sources, and a posterior's extras."""
    nan = torch.nan
    azimuth = torch.tensor([[-0.5, 0.25], [0.1, nan], [nan, nan]], dtype=torch.float64)
    coupling = torch.eye(3, dtype=torch.complex128).expand(3, 3, 3) + 0.1j
    return Estimates(
        azimuth, azimuth.abs() / 10, torch.ones(3, 2, dtype=torch.float64), coupling,
        torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64), torch.tensor([2, 1, 0]),
        interval=torch.stack([azimuth - 0.1, azimuth + 0.1], -1),
        mode_azimuth=azimuth[:, None].repeat(1, 2, 1), mode_share=torch.full((3, 2), 0.5, dtype=torch.float64),
        fit_probability=torch.tensor([0.5, 1e-9, 0.5], dtype=torch.float64), fit_cause=torch.tensor([0, 1, 0]),
    )  # fmt: skip


def test_bytes_hold_all_fields(estimates):
    again, told = from_bytes(to_bytes(estimates, time=np.array([1.0, 2.0, 3.0]), start_s=None))
    assert told.keys() == {"time"} and told["time"].tolist() == [1.0, 2.0, 3.0]
    for name in ("azimuth", "std", "power", "coupling", "noise_power", "n_sources", "interval", "fit_cause"):
        assert torch.equal(getattr(again, name).nan_to_num(7), getattr(estimates, name).nan_to_num(7)), name
    assert again.misfit is None


def test_other_bytes_are_refused():
    with pytest.raises(SnapshotError, match="expected estimates as a worker returns them"):
        from_bytes(b"no archive")


def test_a_row_is_a_batch_and_lists_have_an_entry_a_source(estimates):
    arrays = estimate_arrays(estimates)
    out = io.BytesIO()
    with EstimateTable(out, {"seed": 3}) as table:
        for first in (0, 3):
            numbers = {"batch": np.arange(first, first + 3), "time": np.array([5.0, np.nan, 7.0])}
            table.append(numbers | arrays | bearing_arrays(arrays, 90.0))
    out.seek(0)
    assert read_provenance(out) == {"seed": 3}
    file = pq.ParquetFile(out)
    assert file.num_row_groups == 2
    rows = file.read().to_pylist()
    assert [r["batch"] for r in rows] == [0, 1, 2, 3, 4, 5] and [r["time"] for r in rows[:3]] == [5.0, None, 7.0]
    assert rows[0]["doa_deg"] == pytest.approx(np.degrees([-0.5, 0.25]))
    assert [len(r["doa_deg"]) for r in rows[:3]] == [2, 1, 0] == [len(r["bearing_deg"]) for r in rows[:3]]
    assert rows[1]["doa_interval_deg_low"] == pytest.approx([0.0], abs=1e-12)
    assert rows[1]["doa_interval_deg_high"] == pytest.approx([np.degrees(0.2)])
    assert rows[0]["coupling_re"] == [1, 0, 0, 0, 1, 0, 0, 0, 1] and rows[0]["coupling_im"] == pytest.approx([0.1] * 9)
    assert rows[1]["mode_doa_deg"] == [pytest.approx([np.degrees(0.1)])] * 2
    assert [r["fit_doubtful"] for r in rows[:3]] == [False, True, False]
    assert rows[0]["elevation_deg"] is None and isinstance(rows[1]["fit_cause"], str)
    assert rows[0]["bearing_deg"] == pytest.approx([90 + np.degrees(0.5), 90 - np.degrees(0.25)])
