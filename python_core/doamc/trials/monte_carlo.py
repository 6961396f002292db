"""Monte-Carlo comparison of estimators: errors of directions and coupling beside the Cramér-Rao bound."""

import math
import time
from collections.abc import Callable
from typing import Any

import torch

from doamc.errors import DoamcError
from doamc.estimators.base import METHODS, Estimator
from doamc.estimators.engine import open_estimator
from doamc.scenes.accuracy import azimuth_error, coupling_gain_db, direction_error, is_hit
from doamc.spec import ArraySpec
from doamc.trials.by_elevation import by_elevation
from doamc.trials.observe import IN_SEQUENCE, observe


def compare(
    spec: ArraySpec, estimators: list[Estimator], snr_db: list[float], n_sources: int, n_snapshots: int,
    trials: int, waveform: str = "gaussian", seed: int = 0, clock: Callable[[], float] = time.process_time,
) -> list[dict[str, Any]]:  # fmt: skip
    """One row a method and SNR; every method sees the same scenes, the same at every SNR but for the noise power.

    trials: number of scenes. hits: share of them with all sources within 2 degrees. rmse_deg, rmse_hit_deg: of all and
    of hits; rmse_hit_std_deg: standard deviation of the latter, by the scenes that happened to be drawn. bound_deg:
    root mean square of the bound on the same scenes, coupling unknown. coupling_gain_db: how much smaller the error of
    the coupling matrix is than that of C = I. x0_db: error that denoised snapshots have left over that of the received
    ones, where a method denoises. by_elevation: of an array with elevations, bins as in `by_elevation`. ms: time per
    estimate in a batch of all trials, by the clock that is given: processor time by default, which does not count what
    else the machine does. A value that a method does not give is None.
    """
    from doamc.bounds import cramer_rao, crb

    rows = []
    for level in snr_db:
        generator = torch.Generator().manual_seed(seed)
        scene, batch, clean = observe(spec, trials, n_sources, n_snapshots, level, generator, waveform)
        bound = crb(scene, n_snapshots).rad2deg().square().mean().sqrt().item()
        bounds = cramer_rao(scene, n_snapshots) if spec.elevated else None
        for estimator in estimators:
            torch.manual_seed(seed)
            begin = clock()
            e = estimator(batch, n_sources)
            ms = 1e3 * (clock() - begin) / trials
            if scene.elevation is None or e.elevation is None:
                error = azimuth_error(scene.azimuth, e.azimuth.cpu(), spec.full_circle)
            else:
                estimate = e.azimuth.cpu(), e.elevation.cpu()
                error = direction_error((scene.azimuth, scene.elevation), estimate)
            hit, error = is_hit(error), error.rad2deg()
            rows.append(
                {
                    "method": estimator.name,
                    "snr_db": level,
                    "hits": hit.double().mean().item(),
                    "rmse_deg": _rms(error[torch.isfinite(error)]),
                    "rmse_hit_deg": _rms(error[hit]),
                    "rmse_hit_std_deg": rms_deviation(error[hit]),
                    "trials": trials,
                    "bound_deg": bound if math.isfinite(bound) else None,
                    "coupling_gain_db": coupling_gain_db(scene.coupling, e.coupling.cpu()),
                    "x0_db": None if e.clean is None else _left_db(e.clean.cpu(), clean, batch.snapshots),
                    "ms": ms,
                }
            )
            if bounds is not None:
                rows[-1]["by_elevation"] = by_elevation(spec, scene, e, bounds)
    return rows


def usable_methods(
    spec: ArraySpec, n_sources: int, n_snapshots: int, device: str, seed: int
) -> tuple[list[str], dict[str, str]]:
    """Methods that take this array, P and L, and for the others why not: each is tried on one scene."""
    generator = torch.Generator().manual_seed(seed)
    _, batch, _ = observe(spec, 1, n_sources, n_snapshots, 10.0, generator)
    taken, refused = [], {}
    for name in METHODS:
        try:
            estimator = open_estimator(name, spec, n_sources, device, seed)
            if estimator.sequential:
                refused[name] = IN_SEQUENCE
                continue
            estimator(batch, n_sources)
        except DoamcError as error:
            refused[name] = str(error)
        else:
            taken.append(name)
    return taken, refused


def _left_db(found: torch.Tensor, clean: torch.Tensor, received: torch.Tensor) -> float:
    error, noise = ((x - clean).abs().square().sum() for x in (found, received))
    return 10 * math.log10(max(float(error / noise), 1e-30))


def _rms(error: torch.Tensor) -> float | None:
    return error.square().mean().sqrt().item() if error.numel() else None


def rms_deviation(error: torch.Tensor) -> float | None:
    """Standard deviation of the root mean square of independent rows of errors (M, P); None for fewer than two.

    To first order: the standard error of the mean square over twice its root.
    """
    if len(error) < 2:
        return None
    square = error.square().mean(1)
    mean = square.mean().item()
    return square.std().item() / (2 * math.sqrt(mean * len(square))) if mean > 0 else 0.0
