"""The published chain `diffusion.guidance.Ddrm`, [Kawar], as [Tolley] has it for skies: `ddrm` of ``doamc image``."""

import math

import torch

from doamc.diffusion.grid import Grid
from doamc.diffusion.guidance import Ddrm
from doamc.diffusion.samplers import ItemNoise, sample
from doamc.imaging.visibilities import GridVisibilities
from doamc.skies.chain import falling
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.net import SIGMA
from doamc.skies.problem import FIRST, Problem, Run, item_seed

LAST = 0.5  #: level that the chain ends at, in units of the noise of a visibility


def ddrm(visibilities: GridVisibilities, run: Run, prior: SkyDenoiser, first: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation of each sky, (B, N), NaN of one sample; first: number of the first of these skies of all."""
    problem = Problem(visibilities, run, first)
    found = torch.empty(len(problem.y), problem.operator.columns)
    for peak in problem.peak.unique():  # the levels of a grid are those of all its items
        rows = (problem.peak[:, 0] == peak).nonzero()[:, 0]
        noise = ItemNoise([item_seed(run.seed + 1, first * run.samples + int(i)) for i in rows], found.shape[1:],
                          torch.float32)  # fmt: skip
        last = (LAST * problem.noise_std / peak).clamp(*SIGMA)
        levels = [float(v) for v in falling(torch.tensor(FIRST), last, run.steps)]
        grid = Grid(tuple(levels), (1.0,) * len(levels), tuple(levels))
        chain = Ddrm(problem.operator, problem.y[rows] / peak, problem.noise_power / float(peak) ** 2)
        start = chain.start(grid, noise.draw())
        found[rows] = peak * sample(prior, chain, grid, noise, start, end="mean")
    each = found.unflatten(0, (-1, run.samples))
    return each.mean(1), each.std(1) if run.samples > 1 else torch.full_like(each[:, 0], math.nan)
