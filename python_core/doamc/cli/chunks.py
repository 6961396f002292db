"""Estimating a whole input in chunks of bounded memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from doamc.cli.inputs import Input, as_complex128
from doamc.estimators.base import Estimates
from doamc.estimators.engine import estimate_batch
from doamc.estimators.incident import incident
from doamc.estimators.joined import join
from doamc.estimators.tuned import TunedEstimator
from doamc.snapshots.batch import SnapshotBatch, make_batch

#: a chunk holds at most so many batches, so many samples, and elements cubed (derivatives of covariances); part of the
#: definition of seeded results
CHUNK_BATCHES, CHUNK_SAMPLES, CHUNK_CUBES = 256, 1 << 21, 1 << 24


def estimate_input(
    tuned: TunedEstimator, source: Input, n_sources: int | None, noise_power: float | None, seed: int = 0
) -> Estimates:
    """Estimates of a whole input. Chunks are the same for every run of an input, so that seeded results are too.

    Every batch is estimated for its own frequency. n_sources: P, or None to count those of each batch (see
    `estimate_batch`). noise_power: overrides the input's.
    """
    parts = []
    for first, batch in chunks_of(source, noise_power, seed):
        frequencies = [source.frequency_of(first + i) for i in range(batch.size)]
        parts.append(estimate_chunk(tuned, batch, frequencies, n_sources))
    return join(parts)


def chunks_of(source: Input, noise_power: float | None, seed: int) -> Iterator[tuple[int, SnapshotBatch]]:
    """Number of its first batch, and the batch, of every chunk of an input; with a bar where there are many.

    torch's seed is set before each, by its number. noise_power: overrides the input's.
    """
    from tqdm import tqdm

    batches, channels, _ = source.shape
    size = chunk_size(source.shape)
    with tqdm(total=batches, unit="batch", disable=None if batches > size else True, leave=False) as bar:
        for first, block in zip(range(0, batches, size), source.blocks(size), strict=True):
            known: torch.Tensor | float | None = noise_power
            if known is None and source.noise_power is not None:
                known = torch.tensor(source.noise_power[first : first + size], dtype=torch.float64)
            y = torch.from_numpy(as_complex128(block))
            batch = make_batch(y, channels, known, first, source.channels)
            torch.manual_seed(seed + first)
            yield first, batch
            bar.update(len(y))


def chunk_size(shape: tuple[int, int, int]) -> int:
    """Batches in a chunk of an input of shape (B, N, L)."""
    _, channels, length = shape
    return max(1, min(CHUNK_BATCHES, CHUNK_SAMPLES // (channels * length), CHUNK_CUBES // channels**3))


def estimate_chunk(
    tuned: TunedEstimator, batch: SnapshotBatch, frequencies_hz: Sequence[float | None], n_sources: int | None
) -> Estimates:
    """Estimates of a chunk, whose batches have these frequencies. Those of one are estimated together.

    They hold no denoised signals, which are as large as the input.
    """
    groups: dict[float | None, list[int]] = {}
    for i, frequency_hz in enumerate(frequencies_hz):
        groups.setdefault(frequency_hz if tuned.spec.in_metres else None, []).append(i)
    parts = []
    for f, index in groups.items():
        estimator, part = tuned.at(f), batch if len(groups) == 1 else batch.select(torch.tensor(index))
        found = incident(estimator.spec, estimate_batch(estimator, part, n_sources))
        parts.append(replace(found, clean=None, waveforms=None, waveform_std=None))
    if len(parts) == 1:
        return parts[0]
    order = torch.tensor([i for index in groups.values() for i in index])
    return join(parts).select(order.argsort())
