"""The results of an input of an archive: its parts in their order, as one file."""

from pathlib import Path
from typing import Any

import numpy as np

from doamc.cli.archive_checks import spec_of
from doamc.cli.inputs import MAX_KEPT
from doamc.cluster.manifest import Manifest
from doamc.errors import RecordingError
from doamc.estimates.estimate_bytes import from_bytes
from doamc.estimates.estimate_file import bearing_arrays, estimate_arrays, write_estimates
from doamc.estimators.joined import join
from doamc.files.atomic import whole_file


def write_result(
    path: Path, manifest: Manifest, settings: dict[str, Any], name: str, where: str, told: dict[str, Any]
) -> None:
    """Write the results of an input whose parts are all there.

    where: the input. told: what was said of it when it was looked at. Raises RecordingError when it cannot be written,
    SnapshotError where a part cannot be read.
    """
    if settings["format"] == "npz":
        _write_npz(path, manifest, settings, name, told)
    else:
        _write_parquet(path, manifest, settings, name, {"where": where} | told)


def _write_npz(path: Path, manifest: Manifest, settings: dict[str, Any], name: str, told: dict[str, Any]) -> None:
    batches, channels, _ = told["shape"]
    if batches * channels**2 > MAX_KEPT:  # all are held at once
        raise RecordingError(
            f"{path}: expected at most {MAX_KEPT // channels**2} batches in an .npz file, found {batches}; leave out "
            "--format npz, or see --batches"
        )
    parts = [from_bytes(data)[0] for _, data in manifest.read_parts(name)]
    write_estimates(path, join(parts), told["channels"], settings["heading"])


def _write_parquet(path: Path, manifest: Manifest, settings: dict[str, Any], name: str, told: dict[str, Any]) -> None:
    from doamc.estimates.parquet_table import EstimateTable

    heading = settings["heading"]
    made = {"settings": settings, "array": spec_of(settings).table, "input": {"name": name} | told}
    with whole_file(path) as file, EstimateTable(file, made) as table:
        for first, data in manifest.read_parts(name):
            estimates, of_batches = from_bytes(data)
            arrays = estimate_arrays(estimates, told["channels"])
            bearings = {} if heading is None else bearing_arrays(arrays, heading)
            numbers = np.arange(first, first + len(arrays["n_sources"]))
            table.append({"batch": numbers} | of_batches | arrays | bearings)
