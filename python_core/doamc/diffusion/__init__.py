"""The mathematics of diffusion: schedules, grids, denoisers, parametrisations, losses, guidances, samplers.

`doamc.diffusion.samplers` and `doamc.diffusion.guidance` hold the registries by name.
"""

from doamc.diffusion.grid import Grid, log_snr_grid, log_snr_span, make_grid, uniform_grid
from doamc.diffusion.linear_operator import LinearOperator
from doamc.diffusion.parametrisation import NetworkDenoiser
from doamc.diffusion.schedule import VPSchedule
from doamc.diffusion.schedules import make_schedule

__all__ = [
    "Grid",
    "LinearOperator",
    "NetworkDenoiser",
    "VPSchedule",
    "log_snr_grid",
    "log_snr_span",
    "make_grid",
    "make_schedule",
    "uniform_grid",
]
