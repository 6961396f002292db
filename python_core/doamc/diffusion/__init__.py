"""The diffusion engine: noise schedules, grids, samplers, moving averages of weights and checkpoints."""

from doamc.diffusion.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from doamc.diffusion.ddim import ddim_step
from doamc.diffusion.ema import MovingAverage
from doamc.diffusion.grid import Grid, log_snr_grid, uniform_grid
from doamc.diffusion.schedule import VPSchedule

__all__ = [
    "Checkpoint",
    "Grid",
    "MovingAverage",
    "VPSchedule",
    "ddim_step",
    "load_checkpoint",
    "log_snr_grid",
    "save_checkpoint",
    "uniform_grid",
]
