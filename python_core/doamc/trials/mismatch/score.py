"""What a method makes of a row, against the truth."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import torch

from doamc.angles import wrap_rad
from doamc.estimates.assignment import assign
from doamc.estimators.base import Estimator
from doamc.estimators.cause_names import cause_name
from doamc.estimators.engine import estimate_batch
from doamc.estimators.estimates import Estimates
from doamc.estimators.intervals import NORMAL_90
from doamc.scenes.accuracy import HIT_DEG
from doamc.snapshots.batch import make_batch
from doamc.trials.mismatch.rows import Row


@dataclass
class Score:
    """Counts over the batches of a row.

    hit: whether all true sources are within 2 deg of one of their own. error, std (deg) and inside (90 % interval):
    of every true source that has an estimate. missed: true sources without one. phantom: whether there are more
    estimates than sources. doubtful: whether the estimate is marked so; misfit and cause of it. None of these where a
    method does not say.
    """

    hit: list[bool] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    std: list[float] = field(default_factory=list)
    inside: list[bool] = field(default_factory=list)
    missed: int = 0
    phantom: list[bool] = field(default_factory=list)
    doubtful: list[bool] = field(default_factory=list)
    misfit: list[float] = field(default_factory=list)
    cause: list[str] = field(default_factory=list)

    def add(self, azimuth: torch.Tensor, e: Estimates) -> None:
        """Count a part of the batches, of true azimuths (B, P) in rad."""
        found, std = e.azimuth.cpu(), e.std.cpu()
        if e.misfit is not None and e.doubtful is not None:
            self.misfit += e.misfit.tolist()
            self.doubtful += e.doubtful.tolist()
        if e.fit_cause is not None:
            self.cause += [cause_name(int(k)) for k in e.fit_cause]
        for i, true in enumerate(azimuth):
            there = found[i].isfinite().nonzero()[:, 0]
            self.phantom.append(len(there) > len(true))
            pairs = _pairs(true, found[i, there])
            self.missed += len(true) - len(pairs)
            errors = []
            for a, b in pairs:
                k = there[b]
                errors.append(math.degrees(float(wrap_rad(found[i, k] - true[a]))))
                self.std.append(math.degrees(float(std[i, k])))
                self.inside.append(abs(errors[-1]) <= NORMAL_90 * self.std[-1])
            self.error += errors
            self.hit.append(len(pairs) == len(true) and all(abs(x) < HIT_DEG for x in errors))

    def result(self) -> dict[str, Any]:
        """Rates and errors; None where there is nothing to tell.

        error_over_std: r.m.s. error over r.m.s. standard deviation; typical_error_over_std: median of the ratio over
        that of a normal variable. Both are 1 where intervals hold.
        """
        error, std = torch.tensor(self.error), torch.tensor(self.std)
        told = torch.isfinite(std) & (std > 0)
        ratio = error[told].abs() / std[told]
        return {
            "batches": len(self.hit),
            "hits": _mean(self.hit),
            "rmse_deg": _rounded(error.square().mean().sqrt()),
            "std_deg": _rounded(std[told].median()) if told.any() else None,
            "cover": _mean([x for x, known in zip(self.inside, told.tolist(), strict=True) if known]),
            "error_over_std": _rounded((error[told].square().mean() / std[told].square().mean()).sqrt()),
            "typical_error_over_std": _rounded(ratio.median() / 0.6745) if told.any() else None,
            "missed": self.missed,
            "phantoms": _mean(self.phantom),
            "flagged": _mean(self.doubtful),
            "misfit": _rounded(torch.tensor(self.misfit).nanmedian()) if self.misfit else None,
            "causes": dict(Counter(c for c in self.cause if c != "none").most_common()),
        }


def run_row(row: Row, estimator: Estimator, batches: int, seed: int = 0) -> Score:
    """Score of a method, made for the row's array, on some batches of it."""
    generator, score = torch.Generator().manual_seed(seed), Score()
    for first in range(0, batches, row.part):
        trial = row.make(min(row.part, batches - first), generator)
        batch = make_batch(trial.snapshots)
        with torch.no_grad():
            score.add(trial.scene.azimuth, estimate_batch(estimator, batch, trial.told))
    return score


def _pairs(true: torch.Tensor, found: torch.Tensor) -> list[tuple[int, int]]:
    """Which estimate belongs to which true source, where they are as near as can be together."""
    if not len(true) or not len(found):
        return []
    cost = wrap_rad(true[:, None] - found).square()
    if len(true) <= len(found):
        return list(enumerate(assign(cost.numpy())))
    return [(a, b) for b, a in enumerate(assign(cost.T.numpy()))]


def _mean(values: list) -> float | None:
    return round(sum(map(float, values)) / len(values), 3) if values else None


def _rounded(value: torch.Tensor) -> float | None:
    return None if value.isnan() else float(f"{float(value):.3g}")
