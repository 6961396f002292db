"""Opening an estimator by name, and estimating with an unknown number of sources, in groups."""

import inspect
from typing import Any

import torch

from doamc.errors import EstimatorError
from doamc.estimators.base import DEFAULT_METHOD, Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.joined import join
from doamc.estimators.no_source import no_source
from doamc.estimators.options import parse_method
from doamc.estimators.order import source_number
from doamc.estimators.reported_fit import with_fit
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec
from doamc.text import reason, shown


def open_estimator(
    name: str | None, spec: ArraySpec, n_sources: int | None, device: str, seed: int, **more: Any
) -> Estimator:
    """Estimator by name (None: the default) that gets those of device and seed that it takes.

    name: may carry options, as in ``em:prior=true``; they are then part of the estimator's own name. more: further
    options, in Python's own types.
    Raises EstimatorError on an unknown method, option or device, or unless 1 <= P < N.
    """
    kind, options = parse_method(name or DEFAULT_METHOD)
    if n_sources is not None and not 1 <= n_sources < spec.n_elements:
        raise EstimatorError(
            f"number of sources must lie in 1..{spec.n_elements - 1} for array {spec.name}, found {n_sources}"
        )
    check_device(device)
    takes = inspect.signature(kind).parameters
    strange = [k for k in more if k not in takes]
    if strange:
        raise EstimatorError(f"method {kind.name} takes no {strange[0]}; leave it out, or name a method that does")
    options |= {k: v for k, v in {"device": device, "seed": seed}.items() if k in takes}
    options |= more
    robust = bool(options.pop("robust", True))
    if device != "cpu" and "device" not in options:
        raise EstimatorError(f"method {kind.name} runs on cpu only, found --device {device}; leave it out")
    estimator = kind(spec, **options)
    estimator.robust = robust
    if name and ":" in name:
        estimator.name = name
    return estimator


def check_device(device: str) -> None:
    """Raise EstimatorError unless torch can put a tensor on this device."""
    try:
        torch.zeros(1, device=device).cpu()  # a device that holds no numbers, meta, fails here
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        found = f"{shown(device)} ({reason(error)})"
        raise EstimatorError(f"expected a torch device such as cpu or cuda, found {found}") from error


def estimate_batch(estimator: Estimator, batch: SnapshotBatch, n_sources: int | None) -> Estimates:
    """Estimates of one batch; with n_sources None the observations are grouped by their number of sources.

    The number is that of the method where it counts them itself (a method ``counted``), else that of minimum
    description length, at most the largest of the array specification.
    """
    if n_sources is not None:
        return estimator(batch, n_sources)
    if estimator.sequential and batch.size > 1:
        return join([estimate_batch(estimator, batch.select(slice(i, i + 1)), None) for i in range(batch.size)])
    return estimator.undisturbed(batch, lambda calm: _counted(estimator, calm))


def _counted(estimator: Estimator, batch: SnapshotBatch) -> Estimates:
    """Estimates with the number of sources of each observation."""
    counted = getattr(estimator, "counted", None)
    if counted is not None:
        return counted(batch)
    most = min(estimator.spec.source_count[1], batch.n_elements - 1)
    count = source_number(batch.covariance, batch.n_snapshots).clamp_max(most)
    index, parts = [], []
    for p in count.unique().tolist():
        chosen = (count == p).nonzero()[:, 0]
        part = batch.select(chosen)
        index.append(chosen)
        parts.append(estimator(part, p) if p else with_fit(estimator.spec, part, no_source(part), True))
    return join(parts).select(torch.cat(index).argsort())
