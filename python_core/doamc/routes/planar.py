"""Bayesian compressive sensing for planar arrays: azimuth, elevation and coupling from the block evidence.

The same evidence as `sbl` on a grid of azimuths and elevations, then on ever finer grids around the strongest blocks.
After [Ji-Xue-Carin] for compressive sensing and [Carlin] for planar arrays, with the coupling as the shape that all
blocks share.
"""

import math
from dataclasses import dataclass

import torch

from doamc.angles import wrap_rad
from doamc.arrays.extent import extent_of
from doamc.arrays.steering import steering
from doamc.errors import EstimatorError
from doamc.estimators.powers import source_powers
from doamc.estimators.sphere import hemisphere
from doamc.routes.block_sbl import BlockState, block_spans, coefficients, learn, prior_shape
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class PlanarEstimates:
    """azimuth, elevation: (B, P) rad, ascending azimuth. power: (B, P). coupling: (B, N, N). noise_power: (B,)."""

    azimuth: torch.Tensor
    elevation: torch.Tensor
    power: torch.Tensor
    coupling: torch.Tensor
    noise_power: torch.Tensor


@dataclass(frozen=True)
class PlanarOptions:
    """Sizes: first grid, iterations on it, rounds of refinement (each halves the step), iterations of a round."""

    step_deg: float = 6.0
    iterations: int = 60
    rounds: int = 7
    round_iterations: int = 12


def planar_bcs(
    spec: ArraySpec,
    batch: SnapshotBatch,
    n_sources: int,
    elevation_deg: tuple[float, float] = (0.0, 80.0),
    options: PlanarOptions | None = None,
) -> PlanarEstimates:
    """Azimuths in the sector and elevations in a range, with the coupling of the array's family.

    A flat array cannot tell up from down: give a range on one side, below 90 degrees, where azimuth has no meaning.
    Raises EstimatorError when the array is a line (no elevation there), or P or the range do not fit.
    """
    options = options or PlanarOptions()
    check_planar(spec, elevation_deg)
    if not 1 <= n_sources < batch.n_elements:
        raise EstimatorError(f"number of sources must lie in 1..{batch.n_elements - 1}, found {n_sources}")
    low, high = (math.radians(v) for v in elevation_deg)
    step = math.radians(options.step_deg)
    points = hemisphere(spec, low, high, step)[None]
    shape = prior_shape(spec.plain_family)
    state = learn(_spans(spec, points), batch.covariance, shape, batch.noise_power, options.iterations)
    found, power = _strongest(points, state, n_sources, 2.5 * step)
    offset = torch.cartesian_prod(*[torch.arange(-2, 3, dtype=torch.float64)] * 2)
    for _ in range(options.rounds):
        step /= 2
        move = step * offset / torch.stack([found[..., 1].cos(), torch.ones_like(power)], -1)[:, :, None]
        near = found[:, :, None] + move
        near = torch.stack([near[..., 0], near[..., 1].clamp(low, high)], -1).flatten(1, 2)
        gamma = (power / len(offset)).repeat_interleave(len(offset), 1)
        start = BlockState(gamma, state.shape, state.noise)
        count = options.round_iterations
        state = learn(_spans(spec, near), batch.covariance, shape, batch.noise_power, count, state=start)
        power = state.gamma.unflatten(1, (n_sources, -1))
        share = power / power.sum(2, keepdim=True)
        found = (share[..., None] * near.unflatten(1, (n_sources, -1))).sum(2)
        power = power.sum(2)
    return _estimates(spec, batch, found, state)


def check_planar(spec: ArraySpec, elevation_deg: tuple[float, float]) -> None:
    """Raise EstimatorError when the array is a line or the range of elevations is not one."""
    if extent_of(spec.positions).dimensions < 2:
        raise EstimatorError(f"elevation needs a planar array, found the line {spec.name}; use sbl")
    if not -90 < elevation_deg[0] < elevation_deg[1] < 90:
        raise EstimatorError(f"expected elevations -90 < low < high < 90 deg, found {elevation_deg}")


def _spans(spec: ArraySpec, points: torch.Tensor) -> torch.Tensor:
    response = steering(spec.positions, points[..., 0], points[..., 1]).to(torch.complex128)
    return block_spans(spec.plain_family, response.mT)


def _strongest(
    points: torch.Tensor, state: BlockState, n_peaks: int, apart: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The strongest directions (B, P, 2) at least ``apart`` rad from each other, and the power around each (B, P)."""
    az, el = points[0].unbind(-1)
    unit = torch.stack([el.cos() * az.cos(), el.cos() * az.sin(), el.sin()], 1)
    rest, where, power = state.gamma.clone(), [], []
    for _ in range(n_peaks):
        top = rest.argmax(1)
        near = unit[top] @ unit.T > math.cos(apart)
        where.append(points[0][top])
        power.append(torch.where(near, rest, 0.0).sum(1))
        rest = torch.where(near, 0.0, rest)
    return torch.stack(where, 1), torch.stack(power, 1)


def _estimates(spec: ArraySpec, batch: SnapshotBatch, found: torch.Tensor, state: BlockState) -> PlanarEstimates:
    azimuth, elevation = found.unbind(-1)
    if spec.full_circle:
        azimuth = wrap_rad(azimuth, spec.sector_rad[0])
    azimuth, order = azimuth.sort(1)
    elevation = elevation.gather(1, order)
    coupling = spec.plain_family.matrix(coefficients(spec.plain_family, state.shape))
    noise = state.noise if batch.noise_power is None else batch.noise_power
    power = source_powers(batch.covariance, coupling @ steering(spec.positions, azimuth, elevation), noise)
    return PlanarEstimates(azimuth, elevation, power, coupling, noise)
