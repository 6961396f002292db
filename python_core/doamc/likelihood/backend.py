"""What computes the posterior's inner loops: the compiled library on the CPU, tensor operations elsewhere."""

import ctypes
from functools import cache
from typing import TYPE_CHECKING, Protocol

import torch

from doamc.likelihood.library import open_library
from doamc.likelihood.tensors import TensorBackend
from doamc.likelihood.variant import taken_variant

if TYPE_CHECKING:
    from doamc.likelihood.density import ExactPosterior
    from doamc.likelihood.kernels import Kernels
    from doamc.likelihood.metropolis import ChainRun, MoveTables


class Backend(Protocol):
    """The inner loops on one batch of observations; points are x (B, d, S)."""

    def log_posterior(self, x: torch.Tensor) -> torch.Tensor:
        """Log posterior (B, S)."""

    def information(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Gradient (B, S, d) of the log density and Fisher information (B, S, d, d)."""

    def search_modes(
        self, x: torch.Tensor, value: torch.Tensor, steps: int, survivors: int, prune_after: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Points and their log posterior (B, G) after steps of damped Fisher scoring."""

    def run_chains(
        self, x: torch.Tensor, value: torch.Tensor, factors: torch.Tensor, tables: "MoveTables", keep: int
    ) -> "ChainRun":
        """Metropolis chains from x, whose log posterior is value (B, S), with factors (B, S, d, d) of covariances."""

    def tempering(self, value: torch.Tensor, effective: float, most: float) -> torch.Tensor:
        """Inverse temperature (B,) at which weights exp(beta value) have that effective sample size, at most `most`."""


def backend_of(posterior: "ExactPosterior") -> Backend:
    """The compiled loops where they work on the posterior's device, else tensor operations.

    Raises and warns as `taken_variant`.
    """
    loops = loops_for(posterior.covariance.device)
    if loops is None:
        return TensorBackend(posterior)
    from doamc.likelihood.compiled import CompiledBackend

    return CompiledBackend(loops, posterior)


def loops_for(device: torch.device) -> "Kernels | None":
    """The compiled loops where they work on this device, else None; raises and warns as `taken_variant`."""
    if device.type != "cpu":
        return None
    found = taken_variant(open_library)
    return None if found is None else _kernels(*found)


@cache
def _kernels(library: ctypes.CDLL, variant: str) -> "Kernels":
    from doamc.likelihood.kernels import Kernels

    return Kernels(library, variant)
