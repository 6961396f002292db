"""Opening an estimator by name, and estimating with an unknown number of sources, in groups."""

import inspect
from dataclasses import fields
from typing import Any

import torch

from doamc.errors import EstimatorError
from doamc.estimators.base import DEFAULT_METHOD, Estimates, Estimator
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


#: which axis of a field counts sources; it is filled with NaN where a batch has fewer
SOURCE_AXIS = {
    "azimuth": 1, "std": 1, "power": 1, "elevation": 1, "interval": 1, "mode_azimuth": 2, "mode_std": 2,
    "response": 2, "waveforms": 1, "waveform_std": 1,
}  # fmt: skip


def join(parts: list[Estimates]) -> Estimates:
    """Estimates one after the other, with NaN where some have fewer sources.

    What only some of the parts have is NaN in the others.
    """
    width = max(1, *(e.azimuth.shape[1] for e in parts))
    joined = {}
    for field in fields(Estimates):
        values = [getattr(e, field.name) for e in parts]
        if any(v is not None for v in values):
            joined[field.name] = _join(values, [len(e.n_sources) for e in parts], SOURCE_AXIS.get(field.name), width)
    return Estimates(**joined)


def _join(values: list[torch.Tensor | None], sizes: list[int], axis: int | None, width: int) -> torch.Tensor:
    like = next(v for v in values if v is not None)

    def wide(x: torch.Tensor | None, size: int) -> torch.Tensor:
        if x is None:
            unknown = torch.nan if like.is_floating_point() or like.is_complex() else 0  # nothing counted
            x = torch.full((size, *like.shape[1:]), unknown, dtype=like.dtype, device=like.device)
        if axis is None or x.shape[axis] == width:
            return x
        missing = list(x.shape)
        missing[axis] = width - x.shape[axis]
        if missing[axis] < 0:
            return x.narrow(axis, 0, width)
        return torch.cat([x, x.new_full(missing, torch.nan)], axis)

    return torch.cat([wide(v, size) for v, size in zip(values, sizes, strict=True)])
