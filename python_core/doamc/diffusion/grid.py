"""Time grids of a sampler: descending noise, as plain floats so that a loop never waits for the device.

At equal step counts a grid uniform in log-SNR is far more accurate than one uniform in t, so it is the default.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import signature

import torch

from doamc.diffusion.schedules import NoiseSchedule
from doamc.errors import SamplerError


@dataclass(frozen=True)
class Grid:
    """Points t_0 > t_1 > ... > t_n of a sampler with n steps, with their coefficients."""

    t: tuple[float, ...]
    alpha: tuple[float, ...]
    sigma: tuple[float, ...]
    schedule: NoiseSchedule | None = field(default=None, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.t) - 1

    @property
    def half_log_snr(self) -> tuple[float, ...]:
        """log(alpha / sigma) of every point: the variable in which exponential solvers step; inf where sigma is 0."""
        return tuple(math.log(a / s) if s > 0 else math.inf for a, s in zip(self.alpha, self.sigma, strict=True))

    def noisy(self) -> "Grid":
        """The points with sigma > 0: where the last one is clean, no solver but the mean of x_0 gets there."""
        n = len(self.t) if self.sigma[-1] > 0 else len(self.t) - 1
        return Grid(self.t[:n], self.alpha[:n], self.sigma[:n], self.schedule)

    def between(self, fraction: float, variable: str = "log-snr") -> "Grid":
        """Points a fraction of the way from each point to the next, in log-SNR, sigma / alpha or t, on the schedule."""
        if self.schedule is None:
            raise SamplerError("this sampler evaluates between grid points: expected a grid made from a schedule")
        points = torch.tensor(self.t if variable == "t" else self.half_log_snr, dtype=torch.float64)
        points = torch.exp(-points) if variable == "sigma" else points
        inner = torch.lerp(points[:-1], points[1:], fraction)
        if variable != "t":
            inner = self.schedule.time(-2 * inner.log() if variable == "sigma" else 2 * inner)
        return _grid(self.schedule, inner)


def _grid(schedule: NoiseSchedule, t: torch.Tensor) -> Grid:
    return Grid(tuple(t.tolist()), tuple(schedule.alpha(t).tolist()), tuple(schedule.sigma(t).tolist()), schedule)


def log_snr_grid(schedule: NoiseSchedule, n_steps: int, low: float = -8.0, high: float = 10.0) -> Grid:
    """n_steps steps uniform in log-SNR (natural logarithm of a power ratio) from low to high; n_steps >= 1."""
    return _grid(schedule, schedule.time(torch.linspace(low, high, n_steps + 1, dtype=torch.float64)))


def uniform_grid(
    schedule: NoiseSchedule, n_steps: int, t_min: float = 1e-3, low: float = -math.inf, high: float = math.inf
) -> Grid:
    """n_steps steps uniform in t from 1, or the t_max of a schedule that has one, to t_min; n_steps >= 1.

    low, high: log-SNRs that it stays within.
    """
    first, last = getattr(schedule, "t_max", 1.0), t_min
    if low > -math.inf:
        first = min(first, float(schedule.time(torch.tensor(low, dtype=torch.float64))))
    if high < math.inf:
        last = max(last, float(schedule.time(torch.tensor(high, dtype=torch.float64))))
    return _grid(schedule, torch.linspace(first, last, n_steps + 1, dtype=torch.float64))


def karras_grid(schedule: NoiseSchedule, n_steps: int, low: float = -8.0, high: float = 10.0, rho: float = 7.0) -> Grid:
    """n_steps steps uniform in (sigma / alpha)^(1 / rho), between the log-SNRs low and high.

    [Karras] eq. (5): short steps at low noise; rho to infinity is `log_snr_grid`.
    """
    ends = [math.exp(-0.5 * v / rho) for v in (low, high)]
    ratio = torch.linspace(ends[0], ends[1], n_steps + 1, dtype=torch.float64) ** rho
    return _grid(schedule, schedule.time(-2 * ratio.log()))


def knee_grid(
    schedule: NoiseSchedule, n_steps: int, low: float = -10.0, high: float = 10.0, knee: float = 0.3, power: float = 0.9
) -> Grid:
    """n_steps steps uniform in v^(1/power), v = log(1 + q / knee), q = alpha / sigma, from log-SNR low to high.

    Uniform in q where the noise hides the signal and nothing happens, in log-SNR beyond; power < 1 puts the shorter
    steps towards the end. Made for the `adams` sampler.
    """
    ends = torch.tensor([low, high], dtype=torch.float64).div(2).exp().div(knee).log1p() ** (1 / power)
    v = torch.linspace(float(ends[0]), float(ends[1]), n_steps + 1, dtype=torch.float64) ** power
    return _grid(schedule, schedule.time(2 * (knee * v.expm1()).log()))


def log_snr_span(largest: float, smallest: float) -> tuple[float, float]:
    """Log-SNRs (low, high) between which the law of x_0 forms, by the largest and smallest variance that it has.

    Below low the noise is e^12 times the largest variance (the start N(0, sigma^2 I) is then wrong by less than
    1e-5 nats for each unit of |mean|^2 / largest); above high it is a tenth of the smallest, which the end of
    `sample` deals with. With an observation y = H x_0 + n, the smallest is about sigma_y^2 / s_1^2.
    """
    if not 0 < smallest <= largest:
        raise SamplerError(f"expected variances 0 < smallest <= largest, found {smallest} and {largest}")
    return -12.0 - math.log(largest), -math.log(0.1 * smallest)


def clean_grid(grid: Grid) -> Grid:
    """A grid with one more point, at no noise at all: its last step is the mean of x_0."""
    return Grid((*grid.t, 0.0), (*grid.alpha, 1.0), (*grid.sigma, 0.0), grid.schedule)


#: grid name -> maker(schedule, n_steps, ...)
GRIDS: dict[str, Callable[..., Grid]] = {
    "log-snr": log_snr_grid,
    "uniform": uniform_grid,
    "karras": karras_grid,
    "knee": knee_grid,
}


def make_grid(
    name: str, schedule: NoiseSchedule, n_steps: int, trained: tuple[float, float] | None = None, **options: float
) -> Grid:
    """Grid by name (one of `GRIDS`); any n_steps >= 1. Raises SamplerError on an unknown name or no step.

    trained: log-SNRs (low, high) that a network knows; a grid that would leave them begins or ends there.
    """
    if name not in GRIDS:
        raise SamplerError(f"grid must be one of {', '.join(GRIDS)}, found {name!r}")
    if n_steps < 1:
        raise SamplerError(f"a grid needs at least one step, found {n_steps}")
    if trained is not None:
        asked = {k: options.get(k, signature(GRIDS[name]).parameters[k].default) for k in ("low", "high")}
        options = options | {"low": max(trained[0], asked["low"]), "high": min(trained[1], asked["high"])}
    return GRIDS[name](schedule, n_steps, **options)
