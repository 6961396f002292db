"""What computes the posterior's inner loops: the compiled library on the CPU, tensor operations elsewhere.

Environment: DOAMC_LOOPS=tensors keeps to tensor operations; a variant's name (plain, avx2, avx512) keeps to that one.
"""

import os
import warnings
from functools import cache
from typing import TYPE_CHECKING, Protocol

import torch

from doamc.errors import KernelError, SlowWarning
from doamc.likelihood.tensors import TensorBackend

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

    Raises: KernelError where DOAMC_LOOPS names what is not there.
    Warns: SlowWarning once a process where the library is missing.
    """
    loops = loops_for(posterior.covariance.device)
    if loops is None:
        return TensorBackend(posterior)
    from doamc.likelihood.compiled import CompiledBackend

    return CompiledBackend(loops, posterior)


def loops_for(device: torch.device) -> "Kernels | None":
    """The compiled loops where they work on this device, else None; raises and warns as `backend_of`."""
    if device.type != "cpu":
        return None
    found = _compiled(os.environ.get("DOAMC_LOOPS", ""))
    if isinstance(found, str):
        _tell(found)
        return None
    return found


@cache
def _compiled(wanted: str) -> "Kernels | str | None":
    """The loops; None where they are not wanted; why there are none."""
    if wanted == "tensors":
        return None
    from doamc.likelihood.kernels import Kernels
    from doamc.likelihood.library import open_library

    try:
        library, variants = open_library()
    except OSError as e:
        if wanted:
            raise KernelError(f"expected the compiled loops DOAMC_LOOPS={wanted}, found none: {e}") from None
        return str(e)
    if wanted and wanted not in variants:
        raise KernelError(f"expected DOAMC_LOOPS to be one of tensors, {', '.join(variants)}, found {wanted!r}")
    return Kernels(library, wanted or variants[-1])


_told: list[str] = []  # what was said, so that it is said once, even where warnings are errors


def _tell(reason: str) -> None:
    if not _told:
        _told.append(reason)
        message = (
            f"compiled loops are missing ({reason}): estimates take three times as long; "
            "install a C compiler (gcc) and this package again"
        )
        warnings.warn_explicit(message, SlowWarning, "doamc", 1)  # of no line of the caller's: one line on stderr
