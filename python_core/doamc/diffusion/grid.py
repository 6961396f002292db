"""Time grids of a sampler: descending noise, as plain floats so that a loop never waits for the device.

At equal step counts a grid uniform in log-SNR is far more accurate than one uniform in t, so it is the default.
"""

from dataclasses import dataclass

import torch

from doamc.diffusion.schedule import VPSchedule


@dataclass(frozen=True)
class Grid:
    """Points t_0 > t_1 > ... > t_n of a sampler with n steps, with their coefficients."""

    t: tuple[float, ...]
    alpha: tuple[float, ...]
    sigma: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.t) - 1


def _grid(schedule: VPSchedule, t: torch.Tensor) -> Grid:
    return Grid(tuple(t.tolist()), tuple(schedule.alpha(t).tolist()), tuple(schedule.sigma(t).tolist()))


def log_snr_grid(schedule: VPSchedule, n_steps: int, low: float = -8.0, high: float = 10.0) -> Grid:
    """n_steps steps uniform in log-SNR (natural logarithm of a power ratio) from low to high; n_steps >= 1."""
    return _grid(schedule, schedule.time(torch.linspace(low, high, n_steps + 1, dtype=torch.float64)))


def uniform_grid(schedule: VPSchedule, n_steps: int, t_min: float = 1e-3) -> Grid:
    """n_steps steps uniform in t from 1 to t_min > 0; n_steps >= 1."""
    return _grid(schedule, torch.linspace(1.0, t_min, n_steps + 1, dtype=torch.float64))
