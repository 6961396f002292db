"""The diffusion engine: schedules, grids, denoisers, guidances, samplers; training, averages and checkpoints.

`doamc.diffusion.samplers` and `doamc.diffusion.guidance` hold the registries by name.
"""

from doamc.diffusion.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from doamc.diffusion.ddim import ddim_step
from doamc.diffusion.ema import MovingAverage
from doamc.diffusion.grid import Grid, log_snr_grid, log_snr_span, make_grid, uniform_grid
from doamc.diffusion.linear_operator import LinearOperator
from doamc.diffusion.parametrisation import NetworkDenoiser
from doamc.diffusion.schedule import VPSchedule
from doamc.diffusion.schedules import make_schedule

__all__ = [
    "Checkpoint",
    "Grid",
    "LinearOperator",
    "MovingAverage",
    "NetworkDenoiser",
    "VPSchedule",
    "ddim_step",
    "load_checkpoint",
    "log_snr_grid",
    "log_snr_span",
    "make_grid",
    "make_schedule",
    "save_checkpoint",
    "uniform_grid",
]
