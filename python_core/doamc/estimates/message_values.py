"""From estimates in memory to what a message says of one of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from doamc.spec.numbering import renumbered

if TYPE_CHECKING:
    from doamc.estimators.estimates import Estimates


def message_values(
    estimates: "Estimates", item: int = 0, calibration: dict[str, Any] | None = None, channels: Sequence[int] = ()
) -> dict[str, Any]:
    """Keyword arguments of `make_message` that concern one observation: degrees, dB, linear noise power.

    calibration: what the method remembers (`Estimator.state`), where it does. channels: element of each stream, told
    where streams are numbered otherwise than elements.
    """
    from doamc.estimates.estimate_file import estimate_arrays

    table = {k: v[0] for k, v in estimate_arrays(estimates.select(slice(item, item + 1)), channels).items()}
    values = {
        "azimuth_deg": table["doa_deg"],
        "std_deg": table["doa_std_deg"],
        "power_db": table["power_db"],
        "noise_power": float(table["noise_power"]),
        "coupling": table["coupling"],
        "interval_deg": table.get("doa_interval_deg"),
        "elevation_deg": table.get("elevation_deg"),
        "elevation_std_deg": table.get("elevation_std_deg"),
        "elevation_interval_deg": table.get("elevation_interval_deg"),
        "elevation_correlation": table.get("elevation_correlation"),
        "coupling_std": table.get("coupling_std"),
    }
    std = values["coupling_std"]
    if std is not None and not np.isfinite(std).all():
        values["coupling_std"] = None
    if "mode_share" in table:
        rows = zip(table["mode_share"], table["mode_doa_deg"], table["mode_std_deg"], strict=True)
        values["modes"] = [{"share": float(s), "azimuth_deg": a, "std_deg": d} for s, a, d in rows if s > 0]
        for mode, elevation in zip(values["modes"], table.get("mode_elevation_deg", ()), strict=False):
            mode["elevation_deg"] = elevation
    if np.isfinite(table.get("effective_snapshots", np.nan)):
        values["effective_snapshots"] = float(table["effective_snapshots"])
    if np.isfinite(table.get("model_error_db", np.nan)):
        values["model_error_db"] = float(table["model_error_db"])
        values["model_error_interval_db"] = table["model_error_interval_db"].tolist()
    if table.get("left_out", 0):
        values["snapshots_left_out"] = int(table["left_out"])
    if table.get("offset_removed", False):
        values["offset_removed"] = True
    if not np.isnan(table.get("log_evidence", np.nan)).all():  # of noise alone, none was computed
        weight = np.exp(table["log_evidence"] - np.nanmax(table["log_evidence"]))
        values["source_probability"] = np.nan_to_num(weight) / np.nansum(weight)
    if np.isfinite(table.get("fit_misfit", np.nan)):
        cause = str(table.get("fit_cause", "none"))
        values["fit"] = {
            "misfit": float(table["fit_misfit"]), "probability": float(table["fit_probability"]),
            "doubtful": bool(table["fit_doubtful"]), "cause": None if cause == "none" else cause,
        }  # fmt: skip
        if str(table.get("fit_prior", "")) == "wide":
            values["fit"]["prior"] = "wide"
        if str(table.get("fit_model", "")):
            values["fit"]["model"] = str(table["fit_model"])
    if calibration:
        values["calibration"] = calibration
    if renumbered(channels):
        values["channels"] = list(channels)
    return values


def received_at(place: tuple[float, float] | None) -> dict[str, Any]:
    """The key ``receiver`` of a message from a recording that was made at a latitude and longitude, degrees."""
    return {} if place is None else {"receiver": {"latitude": place[0], "longitude": place[1]}}
