"""The inner loops of a posterior by tensor operations: on every device, and the reference of the compiled ones."""

from typing import TYPE_CHECKING

import torch

from doamc.likelihood.metropolis import ChainRun, MoveTables, run_chains_by_tensors
from doamc.likelihood.mode_search import search_modes_by_tensors
from doamc.likelihood.tempering import tempering_by_tensors

if TYPE_CHECKING:
    from doamc.likelihood.density import ExactPosterior


class TensorBackend:
    """A backend (see `backend.Backend`) of tensor operations."""

    def __init__(self, posterior: "ExactPosterior") -> None:
        self.posterior = posterior

    def log_posterior(self, x: torch.Tensor) -> torch.Tensor:
        """`ExactPosterior.log_posterior`."""
        return self.posterior.log_posterior(x)

    def information(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`ExactPosterior.information`."""
        return self.posterior.information(x)

    def search_modes(
        self, x: torch.Tensor, value: torch.Tensor, steps: int, survivors: int, prune_after: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`mode_search.search_modes`."""
        return search_modes_by_tensors(self.posterior, x, value, steps, survivors, prune_after)

    def run_chains(
        self, x: torch.Tensor, value: torch.Tensor, factors: torch.Tensor, tables: MoveTables, keep: int
    ) -> ChainRun:
        """`metropolis.run_chains_by_tensors`."""
        return run_chains_by_tensors(self.posterior, x, value, factors, tables, keep)

    def tempering(self, value: torch.Tensor, effective: float, most: float) -> torch.Tensor:
        """`tempering.tempering_by_tensors`."""
        return tempering_by_tensors(value, effective, most)
