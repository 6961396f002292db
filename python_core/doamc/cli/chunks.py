"""Estimating a whole input in chunks of bounded memory."""

import torch

from doamc.cli.inputs import Input, as_complex128
from doamc.estimators.base import Estimates, Estimator
from doamc.estimators.engine import estimate_batch, join
from doamc.snapshots.batch import make_batch

#: a chunk holds at most so many batches, so many samples, and elements cubed (derivatives of covariances); part of the
#: definition of seeded results
CHUNK_BATCHES, CHUNK_SAMPLES, CHUNK_CUBES = 256, 1 << 21, 1 << 24


def estimate_input(
    estimator: Estimator, source: Input, n_sources: int | None, noise_power: float | None, seed: int = 0
) -> Estimates:
    """Estimates of a whole input. Chunks are the same for every run of an input, so that seeded results are too.

    n_sources: P, or None for the minimum description length of each batch. noise_power: overrides the input's.
    """
    from tqdm import tqdm

    batches, channels, length = source.shape
    size = max(1, min(CHUNK_BATCHES, CHUNK_SAMPLES // (channels * length), CHUNK_CUBES // channels**3))
    parts = []
    with tqdm(total=batches, unit="batch", disable=None if batches > size else True, leave=False) as bar:
        for first, block in zip(range(0, batches, size), source.blocks(size), strict=True):
            known: torch.Tensor | float | None = noise_power
            if known is None and source.noise_power is not None:
                known = torch.tensor(source.noise_power[first : first + size], dtype=torch.float64)
            y = torch.from_numpy(as_complex128(block))
            batch = make_batch(y, channels, known, first=first)
            torch.manual_seed(seed + first)
            parts.append(estimate_batch(estimator, batch, n_sources))
            bar.update(len(y))
    return join(parts)
