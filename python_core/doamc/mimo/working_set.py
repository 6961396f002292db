"""Which pairs of directions enter the dictionary where there are too many of them: those that the symbols ask for.

With elevations the pairs of a grid are some ten thousand. The slope of the evidence by the power of a block that is not
there is |K^H D^H Sigma^-1 y|^2 less its mean, K K^H the shape of blocks; D has the form of an outer product, so that
all slopes come out of two thin products. The pairs of highest slope over its mean enter with their neighbours, their
powers are learnt, and what they leave of the symbols asks for the next ([Tipping-Faul] for blocks).
"""

import torch

from doamc.errors import EstimatorError
from doamc.mimo.blocks import beamed_parts, combined_parts
from doamc.mimo.channel import Link
from doamc.mimo.pair_grid import EndGrid, highest_pairs
from doamc.mimo.sounding import Sounding

MAX_ENTRIES = 1 << 24  #: of a map of slopes, 256 MiB
PEAKS = 4  #: that enter at once, beside one for every path


class WorkingSet:
    """places: flat indices (G,) of the pairs that are in, of the grids `rows` (R) by `columns` (Q)."""

    def __init__(self, link: Link, sounding: Sounding, rows: EndGrid, columns: EndGrid) -> None:
        self.rows, self.columns = rows, columns
        self.places = torch.zeros(0, dtype=torch.int64)
        self._g = combined_parts(link, sounding, rows.directions)
        self._h = beamed_parts(link, sounding, columns.directions)
        entries = len(rows) * len(columns) * self._g.shape[3] * self._h.shape[3]
        if entries > MAX_ENTRIES:
            raise EstimatorError(
                f"expected at most {MAX_ENTRIES} entries of all pairs of directions, found {entries}: {len(rows)} x "
                f"{len(columns)} directions, blocks of {self._g.shape[3] * self._h.shape[3]}; take a coarser grid"
            )

    @property
    def pairs(self) -> torch.Tensor:
        """Directions of the pairs that are in, (G, A)."""
        row, column = self.places // len(self.columns), self.places % len(self.columns)
        return torch.cat([self.rows.directions[row], self.columns.directions[column]], 1)

    def grow(self, left: torch.Tensor, root: torch.Tensor, n_paths: int) -> None:
        """Take in the pairs that Sigma^-1 y, (S', T, n), asks for; root: K, (d, d)."""
        score = self.slopes(left, root)
        peaks = highest_pairs(score, self.rows, self.columns, n_paths + PEAKS)
        row, column = peaks // len(self.columns), peaks % len(self.columns)
        beside = [self.rows.neighbours[row] * len(self.columns) + column[:, None]]
        beside += [row[:, None] * len(self.columns) + self.columns.neighbours[column]]
        self.places = torch.cat([self.places, *(b.flatten() for b in beside)]).unique()

    def slopes(self, left: torch.Tensor, root: torch.Tensor) -> torch.Tensor:
        """|K^H D^H left|^2 of all pairs over its mean for white symbols, (R, Q)."""
        g, h = self._g.flatten(2), self._h.flatten(2)
        shape = len(self.rows), self._g.shape[3], len(self.columns), self._h.shape[3]
        want = torch.zeros(shape[0], shape[2], dtype=torch.float64)
        for s, vectors in enumerate(left):
            for y in vectors.T:
                z = (g[s].conj().T * y) @ h[s].conj()  # (R d_R, Q d_T)
                block = z.reshape(shape).permute(0, 2, 1, 3).flatten(2)
                want += (block @ root.conj()).abs().square().sum(2)
        weight = root.abs().square().sum(1).reshape(shape[1], shape[3])  # mean square of the entries of a block
        have = torch.einsum("strk,stqk->rq", self._g.abs().square() @ weight, self._h.abs().square())
        return want / have

    def powers(self, power: torch.Tensor) -> torch.Tensor:
        """Powers of the pairs that are in, (G,), on the map (R, Q)."""
        whole = torch.zeros(len(self.rows) * len(self.columns), dtype=torch.float64)
        return whole.index_copy(0, self.places, power).reshape(len(self.rows), -1)
