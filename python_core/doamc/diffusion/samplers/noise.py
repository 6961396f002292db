"""Sources of standard normal noise for samplers: circular with unit power where the state is complex."""

from collections.abc import Sequence
from typing import Protocol

import torch


class Noise(Protocol):
    """Gives one draw for the whole batch at a time."""

    def draw(self) -> torch.Tensor:
        """Standard normal noise (B, ...); E|z|^2 = 1 per entry."""


class TableNoise:
    """Noise drawn beforehand: the rows of a table (T, B, ...) in turn."""

    def __init__(self, table: torch.Tensor) -> None:
        self._rows = iter(table)

    def draw(self) -> torch.Tensor:
        """Next row (B, ...)."""
        return next(self._rows)


class ItemNoise:
    """Noise with a generator of its own for every item: what an item gets does not depend on the rest of the batch.

    Draws are made in blocks, since a call per item and step would cost more than a small network.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        shape: Sequence[int],
        dtype: torch.dtype = torch.complex128,
        device: torch.device | str = "cpu",
        block: int = 32,
    ) -> None:
        """One seed an item, the shape of one item; the first draw is made alone, later ones block at a time."""
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.shape, self.dtype, self.device, self.block = tuple(shape), dtype, device, block
        self._ready: list[torch.Tensor] = []
        self._first = True

    def draw(self) -> torch.Tensor:
        """Next noise (B, *shape)."""
        if not self._ready:
            # one draw is all that a deterministic sampler takes
            count, self._first = (1 if self._first else self.block), False
            drawn = [torch.randn(count, *self.shape, dtype=self.dtype, generator=g) for g in self.generators]
            self._ready = list(torch.stack(drawn, 1).to(self.device).unbind(0))[::-1]
        return self._ready.pop()


class SharedNoise:
    """Noise of one seed for every one of so many batches alike: what becomes of one does not depend on the others."""

    def __init__(
        self, seed: int, shape: Sequence[int], batches: int = 1, dtype: torch.dtype = torch.complex128
    ) -> None:
        """shape: (L, ...), the items of one batch."""
        self.noise, self.batches = ItemNoise([seed], shape, dtype), batches

    def draw(self) -> torch.Tensor:
        """Next noise (batches L, ...)."""
        return self.noise.draw()[0].repeat(self.batches, *[1] * (len(self.noise.shape) - 1))
