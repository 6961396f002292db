"""A Metropolis walk of many chains with its random tables: Fisher steps, and leaps between chains."""

import math

import numpy as np
import torch

from doamc.likelihood.density import ExactPosterior
from doamc.posterior.sampling.metropolis import random_walk
from doamc.posterior.sampling.random_tables import balanced


class Walk:
    """So many steps of so many chains; the tables are drawn once, so an item's result depends on its data and the seed.

    Two steps of three are normal with given Cholesky factors, times reach / sqrt(d) in turn. Every third is leap times
    the difference of the starts of two chains drawn at random: symmetric, in the shape of the posterior so far, and
    from mode to mode (differential evolution, ter Braak 2006, Statistics and Computing 16, with a fixed archive).
    """

    def __init__(
        self,
        chains: int,
        size: int,
        steps: int,
        reach: tuple[float, ...],
        leap: tuple[float, ...],
        seed: int,
        device: torch.device,
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        widths = torch.tensor([reach[i % len(reach)] for i in range(steps)], dtype=torch.float64) / math.sqrt(size)
        normal = balanced(torch.randn(chains, size, steps, generator=generator, dtype=torch.float64))
        self.normal = normal.mul_(widths).to(device)
        self.leaps = [i for i in range(steps) if i % 3 == 1] if leap else []
        factors = [leap[i % len(leap)] for i in range(len(self.leaps))]
        self.factors = torch.tensor(factors, dtype=torch.float64, device=device)[:, None]
        self.pairs = torch.randint(chains, (2, len(self.leaps), chains), generator=generator).to(device)
        self.jumps = np.full(steps, -1)
        self.jumps[self.leaps] = np.arange(len(self.leaps))
        self.log_uniform = torch.rand(steps, chains, generator=generator, dtype=torch.float64).log().to(device)

    def __call__(
        self,
        posterior: ExactPosterior,
        x: torch.Tensor,  # shape: (B, d, S)
        value: torch.Tensor,  # shape: (B, S), log posterior at x
        roots: torch.Tensor,  # shape: (B, S, d, d), Cholesky factors of the proposals
        keep: int,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """What `random_walk` returns."""
        if posterior.native is not None:
            normal = self.normal[:, : posterior.coordinates.size].permute(2, 1, 0).contiguous().numpy()
            pairs = self.pairs.permute(1, 0, 2).contiguous().numpy()
            tables = normal, self.jumps, self.factors[:, 0].numpy(), pairs, self.log_uniform.numpy()
            return posterior.native.walk(x, value, roots, *tables, keep)
        return self.by_tensors(posterior, x, value, roots, keep)

    def by_tensors(
        self, posterior: ExactPosterior, x: torch.Tensor, value: torch.Tensor, roots: torch.Tensor, keep: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """The walk by tensor operations: the reference of the compiled loop, and what runs on other devices."""
        moves = (roots @ self.normal[:, : posterior.coordinates.size]).permute(3, 0, 2, 1).contiguous()
        if self.leaps:
            apart = x[:, :, self.pairs[0]] - x[:, :, self.pairs[1]]  # (B, d, leaps, S)
            moves[self.leaps] = (apart * self.factors).permute(2, 0, 1, 3)
        return random_walk(posterior, x, value, moves, self.log_uniform, keep)
