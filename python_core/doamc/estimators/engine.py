"""Opening an estimator by name, and estimating with an unknown number of sources, in groups."""

import inspect
from typing import Any

import torch

from doamc.errors import EstimatorError
from doamc.estimators.base import DEFAULT_METHOD, Estimates, Estimator, estimator_class
from doamc.estimators.order import source_number
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


def open_estimator(name: str | None, spec: ArraySpec, n_sources: int | None, device: str, seed: int) -> Estimator:
    """Estimator by name (None: the default) that gets those of device and seed that it takes.

    Raises EstimatorError on an unknown method or device, or unless 1 <= P < N.
    """
    kind = estimator_class(name or DEFAULT_METHOD)
    if n_sources is not None and not 1 <= n_sources < spec.n_elements:
        raise EstimatorError(
            f"number of sources must lie in 1..{spec.n_elements - 1} for array {spec.name}, found {n_sources}"
        )
    check_device(device)
    takes = inspect.signature(kind).parameters
    options: dict[str, Any] = {k: v for k, v in {"device": device, "seed": seed}.items() if k in takes}
    if device != "cpu" and "device" not in options:
        raise EstimatorError(f"method {kind.name} runs on cpu only, found --device {device}; leave it out")
    return kind(spec, **options)


def check_device(device: str) -> None:
    """Raise EstimatorError unless torch can put a tensor on this device."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise EstimatorError(f"expected a torch device such as cpu or cuda, found {device!r} ({reason})") from error


def estimate_batch(estimator: Estimator, batch: SnapshotBatch, n_sources: int | None) -> Estimates:
    """Estimates of one batch; with n_sources None the observations are grouped by their number of sources.

    The number is the estimator's own where it has a way to count (a method ``source_number``), else that of minimum
    description length, at most the largest of the array specification.
    """
    if n_sources is not None:
        return estimator(batch, n_sources)
    most = min(estimator.spec.source_count[1], batch.n_elements - 1)
    own = getattr(estimator, "source_number", None)
    count = (own(batch) if own else source_number(batch.covariance, batch.n_snapshots)).clamp_max(most)
    index, parts = [], []
    for p in count.unique().tolist():
        chosen = (count == p).nonzero()[:, 0]
        part = batch.select(chosen)
        index.append(chosen)
        parts.append(estimator(part, p) if p else _nothing_but_noise(part))
    return _take(join(parts), torch.cat(index).argsort())


def join(parts: list[Estimates]) -> Estimates:
    """Estimates one after the other, with NaN where some have fewer sources; denoised snapshots are left out."""
    width = max(1, *(e.azimuth.shape[1] for e in parts))

    def wide(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.pad(x, (0, width - x.shape[1]), value=torch.nan)

    return Estimates(
        azimuth=torch.cat([wide(e.azimuth) for e in parts]),
        std=torch.cat([wide(e.std) for e in parts]),
        power=torch.cat([wide(e.power) for e in parts]),
        coupling=torch.cat([e.coupling for e in parts]),
        noise_power=torch.cat([e.noise_power for e in parts]),
        n_sources=torch.cat([e.n_sources for e in parts]),
    )


def _take(e: Estimates, index: torch.Tensor) -> Estimates:
    return Estimates(
        e.azimuth[index], e.std[index], e.power[index], e.coupling[index], e.noise_power[index], e.n_sources[index]
    )


def _nothing_but_noise(batch: SnapshotBatch) -> Estimates:
    """No source, hence nothing to learn the coupling from."""
    power = batch.covariance.diagonal(dim1=1, dim2=2).real.mean(1)
    none = torch.full((batch.size, 0), torch.nan, dtype=torch.float64)
    return Estimates(
        azimuth=none, std=none, power=none,
        coupling=torch.full_like(batch.covariance, torch.nan + 1j * torch.nan),
        noise_power=power if batch.noise_power is None else batch.noise_power,
        n_sources=torch.zeros(batch.size, dtype=torch.int64),
    )  # fmt: skip
