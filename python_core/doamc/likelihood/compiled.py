"""The inner loops of a posterior by the compiled kernels: the CPU's way.

The observations of a batch are shared out among as many threads as torch may use; the kernels hold no lock.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from doamc.likelihood.chain_arrays import ChainArrays, ChainTables
from doamc.likelihood.kernels import Data, Kernels
from doamc.likelihood.metropolis import ChainRun, MoveTables
from doamc.likelihood.mode_search import FIRST_DAMPING

if TYPE_CHECKING:
    from doamc.likelihood.density import ExactPosterior


class CompiledBackend:
    """A backend (see `backend.Backend`) of compiled loops, for one batch of observations on the CPU."""

    def __init__(self, kernels: Kernels, posterior: "ExactPosterior") -> None:
        self.kernels = kernels
        self.model = posterior.constants.model
        count, noise = _plain(posterior.snapshots[:, 0]), posterior.known_log_noise
        log_noise = np.full_like(count, np.nan) if noise is None else _plain(noise[:, 0])
        self.data: Data = _plain(posterior.covariance), count, log_noise
        self.ridge = posterior.constants.loops_ridge

    def log_posterior(self, x: torch.Tensor) -> torch.Tensor:
        """Log posterior (B, S) of x (B, d, S)."""
        points, out = _plain(x), np.empty((x.shape[0], x.shape[2]))
        self._each(lambda i: self.kernels.log_posterior(self.model, self._part(i), points[i], out[i]))
        return torch.from_numpy(out)

    def information(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Gradient (B, S, d) and Fisher information (B, S, d, d) at x (B, d, S), as `fisher.information` gives them."""
        points, (b, d, s) = _plain(x), x.shape
        gradient, f = np.empty((b, s, d)), np.empty((b, s, d, d))
        self._each(lambda i: self.kernels.information(self.model, self._part(i), points[i], gradient[i], f[i]))
        return torch.from_numpy(gradient), torch.from_numpy(f)

    def run_chains(
        self, x: torch.Tensor, value: torch.Tensor, factors: torch.Tensor, tables: MoveTables, keep: int
    ) -> ChainRun:
        """What `metropolis.run_chains_by_tensors` returns."""
        b, d, s = x.shape
        given = ChainTables(*(_plain(t) for t in tables))
        chains = ChainArrays(
            start=_plain(x),
            end=np.empty((b, d, s)),
            value=_plain(value).copy(),
            factors=_plain(factors),
            kept=np.empty((b, d, keep, s)),
            accepted=np.empty((b, s)),
        )
        self._each(
            lambda i: self.kernels.run_chains(self.model, self._part(i), given, ChainArrays(*(v[i] for v in chains)))
        )
        end, level, kept = (torch.from_numpy(v) for v in (chains.end, chains.value, chains.kept))
        return ChainRun(end, level, kept, torch.from_numpy(chains.accepted / max(1, keep)))

    def search_modes(
        self, x: torch.Tensor, value: torch.Tensor, steps: int, survivors: int, prune_after: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What `mode_search.search_modes` returns."""
        level = _plain(value).copy()
        damping, done = np.full_like(level, FIRST_DAMPING), np.zeros(level.shape, dtype=np.bool_)
        points = _plain(x).copy()
        self._search(points, level, damping, done, min(prune_after, steps))
        if survivors < value.shape[1]:
            best = np.argsort(-level, axis=1, kind="stable")[:, :survivors]
            points = np.ascontiguousarray(np.take_along_axis(points, best[:, None], 2))
            level, damping, done = (np.take_along_axis(v, best, 1) for v in (level, damping, done))
        self._search(points, level, damping, done, steps - prune_after)
        return torch.from_numpy(points), torch.from_numpy(level)

    def _search(self, x: np.ndarray, value: np.ndarray, damping: np.ndarray, done: np.ndarray, steps: int) -> None:
        self._each(
            lambda i: self.kernels.search_modes(
                self.model, self._part(i), x[i], value[i], damping[i], done[i], self.ridge, steps
            )
        )

    def tempering(self, value: torch.Tensor, effective: float, most: float) -> torch.Tensor:
        """What `tempering.tempering_by_tensors` returns."""
        out = np.empty(len(value))
        self.kernels.tempering(_plain(value), effective, most, out)
        return torch.from_numpy(out)

    def _part(self, index: slice) -> Data:
        covariance, count, noise = self.data
        return covariance[index], count[index], noise[index]

    def _each(self, work: Callable[[slice], Any]) -> None:
        """Work on all observations, in as many parts as torch may use threads."""
        size = len(self.data[1])
        threads = min(size, torch.get_num_threads())
        if threads <= 1:
            work(slice(0, size))
            return
        edges = [size * i // threads for i in range(threads + 1)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, [slice(a, b) for a, b in pairwise(edges)]))


def _plain(x: torch.Tensor) -> np.ndarray:
    """Contiguous numpy view or copy with no pending conjugation."""
    return x.resolve_conj().contiguous().numpy()
