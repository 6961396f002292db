"""Metropolis chains with their random tables: normal steps, and differential-evolution moves between chains."""

import math

import torch

from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.metropolis import ChainRun, MoveTables
from doamc.posterior.sampling.random_tables import balanced

DIFFERENCE_EVERY = 3  #: steps, of which one is a differential-evolution move


class MetropolisChains:
    """A fixed number of steps and chains; the tables are drawn once: an item's result depends on its data and the seed.

    Two steps of three are normal with given covariance factors, times a proposal scale over sqrt(d), taken in turn.
    Every third is a differential-evolution move: a scale, taken in turn, times the difference of the starts of two
    chains drawn at random: symmetric, in the shape of the posterior so far, and from mode to mode.
    """

    def __init__(
        self,
        chains: int,
        size: int,
        steps: int,
        proposal_scales: tuple[float, ...],
        difference_scales: tuple[float, ...],  # none: no differential-evolution moves
        seed: int,
        device: torch.device,
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        widths = [proposal_scales[i % len(proposal_scales)] for i in range(steps)]
        normal = balanced(torch.randn(chains, size, steps, generator=generator, dtype=torch.float64))
        normal = normal.mul_(torch.tensor(widths, dtype=torch.float64) / math.sqrt(size))
        moves = [i for i in range(steps) if i % DIFFERENCE_EVERY == 1] if difference_scales else []
        difference = torch.full((steps,), -1)
        difference[moves] = torch.arange(len(moves))
        scale = [difference_scales[i % len(difference_scales)] for i in range(len(moves))]
        pairs = torch.randint(chains, (2, len(moves), chains), generator=generator).transpose(0, 1)
        log_uniform = torch.rand(steps, chains, generator=generator, dtype=torch.float64).log()
        self.steps = steps
        self.tables = MoveTables(
            normal=normal.permute(2, 1, 0).contiguous().to(device),
            difference=difference.to(device),
            scale=torch.tensor(scale, dtype=torch.float64, device=device),
            pairs=pairs.contiguous().to(device),
            log_uniform=log_uniform.to(device),
        )

    def __call__(
        self,
        posterior: ExactPosterior,
        x: torch.Tensor,  # shape: (B, d, S), d the size of the tables at most
        value: torch.Tensor,  # shape: (B, S), log posterior at x
        factors: torch.Tensor,  # shape: (B, S, d, d), of the proposals' covariances
        keep: int,
    ) -> ChainRun:
        """Run from x; the states of the last keep steps are kept."""
        tables = self.tables._replace(normal=self.tables.normal[:, : x.shape[1]])
        return posterior.backend.run_chains(x, value, factors, tables, keep)
