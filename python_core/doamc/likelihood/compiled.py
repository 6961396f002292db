"""Tensors in and out of the compiled kernels: the CPU's way through walk, climb and log posterior.

The observations of a batch are shared out among as many threads as torch may use; the kernels hold no lock.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from doamc.likelihood.coordinates import Coordinates
from doamc.likelihood.kernels import Data, Kernels, Model


def make_model(coordinates: Coordinates, mean: torch.Tensor, patterns: torch.Tensor) -> Model:
    """Constants of an array and its prior for the kernels; mean (N, J N), patterns (K' N, J N): `ExactPosterior`'s."""
    spec, p = coordinates.spec, coordinates.n_sources
    positions = 2 * math.pi * spec.positions[:, :2]
    flat, pairs = coordinates.n_flat, coordinates.n_pairs
    noise = coordinates.noise_place
    tail = noise + int(coordinates.unknown_noise)
    wrapping = coordinates.size - tail - p - pairs
    azimuth, phase = (tail, tail + p) if coordinates.azimuth_first else (tail + wrapping, tail)
    places = (0, p, noise, azimuth, phase, p + flat, tail + p + wrapping)
    gap = math.radians(spec.min_separation_deg)
    even = bool(torch.allclose(positions, torch.arange(len(positions))[:, None] * positions[1:2], rtol=0, atol=1e-12))
    return Model(
        np.ascontiguousarray(positions.numpy()), even, np.ascontiguousarray(mean.numpy()),
        np.ascontiguousarray(patterns.reshape(-1, *mean.shape).numpy()), bool(spec.family.hermitian),
        bool(spec.family.normal), p, flat, pairs, coordinates.unknown_noise,
        places, coordinates.low.numpy(), coordinates.high.numpy(), coordinates.n_box,
        math.cos(gap) if spec.full_circle else gap, spec.full_circle,
    )  # fmt: skip


class Native:
    """One batch of observations as the kernels take it."""

    def __init__(
        self,
        kernels: Kernels,
        model: Model,
        covariance: torch.Tensor,  # shape: (B, N, N)
        snapshots: torch.Tensor,  # shape: (B, 1)
        log_noise: torch.Tensor | None,  # shape: (B, 1), where known
    ) -> None:
        self.kernels, self.model = kernels, model
        self._data = covariance, snapshots, log_noise

    @cached_property
    def data(self) -> Data:
        """Covariances, numbers of snapshots and log noise powers (NaN where unknown), one row an observation."""
        covariance, snapshots, log_noise = self._data
        count = _plain(snapshots[:, 0])
        noise = np.full_like(count, np.nan) if log_noise is None else _plain(log_noise[:, 0])
        return _plain(covariance), count, noise

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
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

    def walk(
        self,
        x: torch.Tensor,
        value: torch.Tensor,
        roots: torch.Tensor,
        normal: np.ndarray,  # shape: (T, d, S)
        leaps: np.ndarray,  # shape: (T,)
        factors: np.ndarray,
        pairs: np.ndarray,
        log_uniform: np.ndarray,  # shape: (T, S)
        keep: int,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """What `metropolis.random_walk` returns, but the kept states as (B, d, keep, S)."""
        b, d, s = x.shape
        start, level, wide = _plain(x), _plain(value).copy(), _plain(roots)
        end, kept, accepted = np.empty((b, d, s)), np.empty((b, d, keep, s)), np.empty((b, s))
        self._each(
            lambda i: self.kernels.walk(
                self.model, self._part(i), start[i], end[i], level[i], wide[i], normal, leaps, factors, pairs,
                log_uniform, kept[i], accepted[i],
            )
        )  # fmt: skip
        out = (torch.from_numpy(v) for v in (end, level, kept, accepted / max(1, keep)))
        return tuple(out)  # type: ignore[return-value]

    def climb(self, x: torch.Tensor, value: torch.Tensor, weak: torch.Tensor, steps: int, survivors: int,
              prune_after: int) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
        """What `search_modes` returns."""
        last, level = _plain(weak), _plain(value).copy()
        state: tuple[np.ndarray, ...] = (_plain(x).copy(), level)
        state = (*state, np.full_like(level, 1e-3), np.zeros(level.shape, dtype=np.bool_))  # damping, done
        self._climb(state, last, min(prune_after, steps))
        if survivors < value.shape[1]:
            best = np.argsort(-level, axis=1, kind="stable")[:, :survivors]
            points = np.ascontiguousarray(np.take_along_axis(state[0], best[:, None], 2))
            state = (points, *(np.take_along_axis(v, best, 1) for v in state[1:]))
        self._climb(state, last, steps - prune_after)
        return torch.from_numpy(state[0]), torch.from_numpy(state[1])

    def _climb(self, state: tuple[np.ndarray, ...], weak: np.ndarray, steps: int) -> None:
        x, value, damping, done = state
        self._each(
            lambda i: self.kernels.climb(
                self.model, self._part(i), x[i], value[i], damping[i], done[i], weak, steps
            )
        )  # fmt: skip

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
