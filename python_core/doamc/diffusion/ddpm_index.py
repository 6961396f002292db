"""Between the integer steps of DDPM, i = 1..T with betas, and continuous time t in [0, 1].

DDPM's alpha-bar_i is alpha(t)^2. Step i of a chain that samples a continuous schedule T times lies at t = i / T; a
chain that is given by a table of betas lies where its alpha-bar lies on the schedule.
"""

import torch

from doamc.diffusion.schedules import NoiseSchedule


def time_of_index(
    index: torch.Tensor,  # i, any shape, 0..T (0 is clean)
    n_steps: int,
) -> torch.Tensor:
    """Time t = i / T, float64."""
    return index.to(torch.float64) / n_steps


def index_of_time(t: torch.Tensor, n_steps: int) -> torch.Tensor:
    """The step i = 1..T nearest to t, int64."""
    return (t * n_steps).round().to(torch.int64).clamp(1, n_steps)


def alpha_bar(schedule: NoiseSchedule, n_steps: int) -> torch.Tensor:
    """alpha-bar_0..alpha-bar_T of a T-step chain on a VP schedule, (T + 1,)."""
    t = time_of_index(torch.arange(n_steps + 1), n_steps).clamp_max(getattr(schedule, "t_max", 1.0))
    return schedule.alpha(t).square()


def betas(schedule: NoiseSchedule, n_steps: int) -> torch.Tensor:
    """beta_1..beta_T with alpha-bar_i = prod (1 - beta_j), (T,)."""
    kept = alpha_bar(schedule, n_steps)
    return 1 - kept[1:] / kept[:-1]


def times_of_betas(schedule: NoiseSchedule, table: torch.Tensor) -> torch.Tensor:
    """Times (T,) at which a VP schedule has the log-SNR of a chain with these betas (T,): to run its network here."""
    log_kept = torch.log1p(-table.to(torch.float64)).cumsum(0)
    return schedule.time(log_kept - torch.log(-torch.expm1(log_kept)))
