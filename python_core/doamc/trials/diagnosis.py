"""What trials of calibration say: ranks, coverage, TARP, sharpness and hits of a case, as plain numbers."""

import math
from typing import Any

import numpy as np
import torch

from doamc.posterior.report.quantiles import level_of
from doamc.trials.calibration import Case, Trials
from doamc.trials.shares import share_band
from doamc.trials.uniformity import band_of, chi_square_p, counts_of

SCHEMA = "doamc.diagnosis/1"
LEVELS = (0.5, 0.8, 0.9, 0.99)  #: of central intervals whose coverage is counted
#: groups of quantities by the first word of their names
GROUPS = {"azimuth": "azimuths", "height": "heights", "power": "powers", "noise": "noise"}


def group_of(quantity: str) -> str:
    """Azimuths, heights (sines of elevations), powers, noise or coupling."""
    return GROUPS.get(quantity.partition(" ")[0], "coupling")


def diagnose(case: Case, trials: Trials) -> dict[str, Any]:
    """Plain numbers of a case.

    quantities: of each the counts of ranks in bins, p_chi_square and p_band of their uniformity. coverage: of each
    group of quantities the shares of truths in central intervals at `LEVELS`, with 95 % intervals (binomial; the
    quantities of a scene err together, so that scenes count). p_ranks: the smallest p of a group times how many there
    are. reported_90: coverage of the azimuths' 90 % intervals as they are published. tarp: as a quantity. sharpness,
    of hits: 10, 50 and 90 % of the published deviations in degrees, over the Cramér-Rao bound and over those of long
    chains.
    """
    scenes = len(trials.hit)
    ranks = trials.rank.numpy()
    quantities = {name: _uniformity(ranks[:, i]) for i, name in enumerate(trials.quantities)}
    groups = list(dict.fromkeys(group_of(name) for name in trials.quantities))
    inside = (2 * trials.share - 1).abs()
    widths = [2 * torch.as_tensor(level_of(0.5 + level / 2, trials.independent))[:, None] - 1 for level in LEVELS]
    coverage, p_ranks = {}, {}
    for group in groups:
        members = [i for i, name in enumerate(trials.quantities) if group_of(name) == group]
        held = [(inside[:, members] < width).double().mean().item() for width in widths]
        coverage[group] = [_share(value, scenes) for value in held]
        p = [q[key] for i in members for key in ("p_chi_square", "p_band") for q in [quantities[trials.quantities[i]]]]
        p_ranks[group] = min(1.0, min(p) * len(p))
    hits = trials.hit.double().mean().item()
    return {
        "sources": case.n_sources, "snapshots": case.n_snapshots, "snr_db": case.snr_db,
        "known_noise": case.known_noise, "scenes": scenes, "hits": _share(hits, scenes),
        "rmse_of_hits_deg": _rmse_deg(trials), "coverage": coverage,
        "reported_90": _share(trials.held.double().mean().item(), scenes), "p_ranks": p_ranks,
        "quantities": quantities, "tarp": _uniformity(trials.tarp.numpy()), "sharpness": _sharpness(trials),
    }  # fmt: skip


def _uniformity(rank: np.ndarray) -> dict[str, Any]:
    counts = counts_of(rank)
    return {
        "counts": counts.tolist(),
        "p_chi_square": chi_square_p(counts),
        "p_band": band_of(len(rank)).p_value(counts),
    }


def _share(value: float, scenes: int) -> list[float]:
    """A share with its 95 % interval."""
    low, high = share_band(value, float(scenes))
    return [value, float(low), float(high)]


def _rmse_deg(trials: Trials) -> float | None:
    error = trials.error[trials.hit].rad2deg()
    return error.square().mean().sqrt().item() if len(error) else None


def _sharpness(trials: Trials) -> dict[str, Any]:
    std, bound, limit = (x[trials.hit] for x in (trials.std, trials.bound, trials.limit))
    return {
        "std_deg": _spread(std.rad2deg()),
        "rms_std_deg": std.square().mean().sqrt().rad2deg().item() if len(std) else None,
        "bound_deg": _spread(bound.rad2deg()),
        "std_over_bound": _spread(std / bound.masked_fill(bound.isinf(), math.nan)),
        "std_over_limit": _spread(std / limit),
    }


def _spread(values: torch.Tensor) -> list[float] | None:
    """10, 50 and 90 % of finite values."""
    finite = values[torch.isfinite(values)]
    if not len(finite):
        return None
    return torch.quantile(finite, torch.tensor([0.1, 0.5, 0.9], dtype=finite.dtype)).tolist()
