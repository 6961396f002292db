"""What explains a batch that does not fit: `fit.cause`.

What the samples themselves show comes first: impulses by the kurtosis of a channel, a converter's offset by its line
at 0 Hz. Then models beside that of the specification are fitted, one after the other, starting from the estimates that
are doubtful; the first that the batch fits names the cause. Several causes at once, or another one, stay "unknown".
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from doamc.angles import wrap_rad
from doamc.arrays.steering import direction
from doamc.estimators.hypotheses import Hypothesis
from doamc.estimators.sphere import SphereGrid
from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.look import Look
from doamc.spec import ArraySpec
from doamc.spec.elevation import STRAIGHT, is_flat
from doamc.spec.wide import with_wide_prior

if TYPE_CHECKING:
    from doamc.estimators.base import Estimates

#: by their number in `Estimates.fit_cause`; those of the channels follow, "channel 0 off", "channel 1 off", ...
CAUSES = (
    "none", "unknown", "impulses", "converter offset", "outside the sector", "outside the prior", "coherent paths",
    "one more source", "unequal noise",
)  # fmt: skip
UNKNOWN = CAUSES.index("unknown")
CHANNEL = len(CAUSES)  #: number of the cause "channel 0 off"

EXPLAINED = 4.0  #: misfit below which a model explains a batch
SHARE = 0.05  #: of the misfit of the estimates that may be left, too
DISTINCT = 2.0  #: times the misfit without the channel that is off, the least without another one
KURTOSIS = 4.0  #: of a channel; normal noise has 2, with a standard deviation of sqrt(20 / L), and carriers less
LINE = 8.0  #: power at 0 Hz over that beside it, in the median channel
OFF_HORIZON = 0.05  #: rad, least elevation that a flat array is started from
BESIDE = 8  #: frequencies either side that a line is compared with


def cause_name(number: int, channels: Sequence[int] = ()) -> str:
    """Words for a number of `Estimates.fit_cause`; channels: element of each stream, where numbered otherwise."""
    if number < CHANNEL:
        return CAUSES[number]
    element = number - CHANNEL
    return f"channel {list(channels).index(element) if channels else element} off"


def causes_of(spec: ArraySpec, batch: SnapshotBatch, e: "Estimates") -> torch.Tensor:
    """Numbers (B,) int64 of what explains each observation: 0 where it fits the prior of the specification."""
    found = torch.zeros(batch.size, dtype=torch.int64)
    doubtful = e.doubtful
    for i in [] if e.wide_prior is None else e.wide_prior.nonzero()[:, 0].tolist():
        heard = e.power[i] > e.noise_power[i] / spec.n_elements  # what is not may lie anywhere
        found[i] = _which_wall(spec, e.azimuth[i, heard], None if e.elevation is None else e.elevation[i, heard])
    doubted = [] if doubtful is None else [int(i) for i in doubtful.numpy().nonzero()[0]]
    # blind to coupling, a method is doubtful in every batch: no search each time
    blind = bool(doubted) and spec.family.n_parameters > 0 and not e.coupled
    for i in doubted:
        cause = _seen_in_samples(batch.snapshots[i], None if batch.look is None else batch.look.of(i))
        if not cause:
            here = slice(i, i + 1)
            cause = UNKNOWN if blind else _explanation(spec, batch.select(here), e.select(here))
        found[i] = cause
    return found


def _seen_in_samples(snapshots: torch.Tensor, look: Look | None) -> int:
    """Impulses or an offset in snapshots (N, L), some of them zero where they were left out; 0 for neither."""
    y = snapshots.numpy()
    if look is None or look.heard < y.shape[1]:
        y = y[:, y.any(0)]
    length = y.shape[1]
    if not length:
        return 0
    if look is None:
        power = y.real * y.real + y.imag * y.imag
        total, square = power.sum(1), (power * power).sum(1)
    else:
        total, square = look.power[:, 0], look.power[:, 1]
    kurtosis = length * square / total**2
    if kurtosis.max() > KURTOSIS + math.sqrt(20 / length):
        return CAUSES.index("impulses")
    if length > 4 * BESIDE:
        lines = y @ _waves(length)
        lines = lines.real**2 + lines.imag**2
        beside = (lines.sum(1) - lines[:, BESIDE]) / (2 * BESIDE)
        if np.sort(lines[:, BESIDE] / beside)[(len(lines) - 1) // 2] > LINE:  # the lower of two in the middle
            return CAUSES.index("converter offset")
    return 0


@lru_cache(maxsize=2)
def _waves(length: int) -> np.ndarray:
    """Conjugate waves (L, 2 BESIDE + 1) of the frequencies about 0 Hz."""
    turn = np.arange(length)[:, None] * np.arange(-BESIDE, BESIDE + 1)
    return np.exp(-2j * math.pi / length * turn)


def _explanation(spec: ArraySpec, batch: SnapshotBatch, e: "Estimates") -> int:
    """The first model that one observation fits."""
    n, p = spec.n_elements, int(e.azimuth.isfinite().sum())
    if not p or not e.coupling.isfinite().all() or not float(e.noise_power) > 0 or e.misfit is None:
        return UNKNOWN
    covariance = batch.covariance[0]
    covariance = covariance / covariance.diagonal().real.mean()
    scale = 1 / float(batch.covariance.diagonal(dim1=1, dim2=2).real.mean())
    lengths = batch.effective.lengths(p)
    enough = max(EXPLAINED, SHARE * float(e.misfit))
    start = _start(spec, e, p, scale)
    everything = torch.arange(n)[None]

    def explains(h: Hypothesis, x: torch.Tensor) -> torch.Tensor | None:
        found, fit = h.fit(covariance, lengths, x[None], everything)
        return found[0] if float(fit.misfit) < enough else None

    free = Hypothesis(spec, p)
    found = explains(free, torch.stack([start, *_moved(free, start, covariance)]))
    if found is not None:
        return _which_wall(spec, *_directions(free, found))
    if p > 1:
        h = Hypothesis(spec, p, coherent=True)
        if explains(h, _with_pairs(h, start)[None]) is not None:
            return CAUSES.index("coherent paths")
    if p + 1 < n:
        more = Hypothesis(spec, p + 1)
        found = explains(more, _with_one_more(free, start, covariance)[None])
        if found is not None:
            inside = _which_wall(spec, *_directions(more, found))
            return inside if inside == CAUSES.index("outside the sector") else CAUSES.index("one more source")
    h = Hypothesis(spec, p, unequal=True)
    own = torch.cat([start[:-1], start[-1:].expand(n)])
    noisy = float(h.fit(covariance, lengths, own[None, None], everything)[1].misfit)
    # among many channels one that hears nothing passes for one of much noise: the better fit is asked for; arrays
    # without elevations have few channels, and keep the answers that docs/fit.md tells of
    if noisy > (EXPLAINED if spec.elevated else enough) and n > p + 2:
        others = torch.stack([torch.cat([torch.arange(c), torch.arange(c + 1, n)]) for c in range(n)])
        _, fit = free.fit(covariance, lengths, start.expand(n, 1, -1), others)
        best, second = fit.misfit.topk(2, largest=False)[0].tolist()
        if best < min(enough, noisy) and second > max(DISTINCT * best, EXPLAINED):
            return CHANNEL + int(fit.misfit.argmin())
    return CAUSES.index("unequal noise") if noisy < enough else UNKNOWN


def _start(spec: ArraySpec, e: "Estimates", p: int, scale: float) -> torch.Tensor:
    there = e.azimuth[0].isfinite()
    noise = e.noise_power[0] * scale
    power = (e.power[0, there] * scale).nan_to_num(0.0)
    theta = spec.family.project(e.coupling[0])
    directions = [e.azimuth[0, there]]
    if spec.elevated and e.elevation is not None:
        elevation = e.elevation[0, there]
        if is_flat(spec.positions):  # at the horizon its slope is zero, and nothing descends
            side = 1.0 if spec.elevation_rad[1] > 0 else -1.0
            elevation = side * (side * elevation).clamp_min(OFF_HORIZON)
        directions.append(elevation)
    return torch.cat([*directions, torch.maximum(power, 0.01 * noise).log(), theta, noise.log()[None]])


def _everywhere(spec: ArraySpec) -> tuple[torch.Tensor, ...]:
    """Directions that an emitter may have, azimuths and, of an array with elevations, elevations, each (G,) rad."""
    if spec.elevated:
        sphere = SphereGrid(with_wide_prior(spec))
        return sphere.azimuth, sphere.elevation
    grid = torch.arange(-180 if spec.full_circle else -90, 180 if spec.full_circle else 91, 2.0)
    return (grid.double().deg2rad(),)


def _beam(h: Hypothesis, x: torch.Tensor, covariance: torch.Tensor, without: int | None) -> tuple[torch.Tensor, float]:
    """Direction (1 or 2,) and power of the source that explains most of what is left, without one of the sources."""
    kept = x.clone()
    if without is not None:
        kept[h.first_power + without] = -20.0
    r = h.covariance(kept[None])[0]
    grid = _everywhere(h.spec)
    theta = x[h.first_theta : h.first_theta + h.spec.family.n_parameters]
    a = h.spec.family.response(theta, h.spec.positions, *grid)
    w = torch.linalg.solve(r, a)
    left = (w.conj() * ((covariance - r) @ w)).sum(0).real
    norm = (a.conj() * w).sum(0).real
    best = int((left.clamp_min(0) / norm).argmax())
    return torch.stack([angle[best] for angle in grid]), max(
        float(left[best] / norm[best] ** 2), 1e-3 * float(x[-1].exp())
    )


def _moved(h: Hypothesis, x: torch.Tensor, covariance: torch.Tensor) -> list[torch.Tensor]:
    """Starts in each of which one source has gone to where most is left without it."""
    out = []
    for k in range(h.n_sources):
        direction, power = _beam(h, x, covariance, k)
        y = x.clone()
        y[k : h.first_power : h.n_sources] = direction
        y[h.first_power + k] = math.log(power)
        out.append(y)
    return out


def _with_one_more(h: Hypothesis, x: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
    direction, power = _beam(h, x, covariance, None)
    own = x[: h.first_theta].unflatten(0, (-1, h.n_sources))  # azimuths, elevations, powers
    more = torch.cat([direction, x.new_tensor([math.log(power)])])[:, None]
    return torch.cat([torch.cat([own, more], 1).flatten(), x[h.first_theta :]])


def _with_pairs(h: Hypothesis, x: torch.Tensor) -> torch.Tensor:
    return torch.cat([x[:-1], x.new_zeros(h.sizes[4]), x[-1:]])


def _directions(h: Hypothesis, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Azimuths and elevations (P,) of a model, which has no walls: on the side of its plane that an array looks to."""
    azimuth, p = x[: h.n_sources], h.n_sources
    if not h.n_heights:
        return azimuth, None
    unit = direction(azimuth, x[p : 2 * p])
    _, size, axes = torch.linalg.svd(h.spec.positions - h.spec.positions.mean(0), full_matrices=False)
    if float(size[2]) < STRAIGHT * float(size[0]):
        middle = [torch.tensor(sum(ends) / 2, dtype=x.dtype) for ends in (h.spec.sector_rad, h.spec.elevation_rad)]
        ahead = axes[2] * torch.sign(axes[2] @ direction(*middle))
        unit = unit - 2 * (unit @ ahead).clamp_max(0)[:, None] * ahead
    low, high = h.spec.sector_rad
    turn = torch.atan2(unit[:, 1], unit[:, 0])
    return wrap_rad(turn, low if h.spec.full_circle else 0.5 * (low + high) - math.pi), unit[:, 2].clamp(-1, 1).asin()


def _which_wall(spec: ArraySpec, azimuth: torch.Tensor, elevation: torch.Tensor | None = None) -> int:
    """Which border of the specification a model lies beyond that fits."""
    low, high = spec.sector_rad
    slack = math.radians(0.5)
    if not spec.full_circle and bool(((azimuth < low - slack) | (azimuth > high + slack)).any()):
        return CAUSES.index("outside the sector")
    if spec.elevated and elevation is not None:
        low, high = spec.elevation_rad
        if bool(((elevation < low - slack) | (elevation > high + slack)).any()):
            return CAUSES.index("outside the sector")
    return CAUSES.index("outside the prior")
