"""Block-sparse Bayesian learning of directions, gains and both couplings.

Every pair of grid directions is a block of unknowns (blocks.py); powers, noise and the shape that all blocks share are
learnt from the evidence (evidence.py). The shape is c_R kron c_T*: the correlation within a block *is* the coupling
([Zhang-Rao]). A second pass on a finer grid around the strongest pairs brings the directions between the points of the
first one. Where an end has elevations, pairs are too many for one dictionary: a working set of them (working_set.py)
takes the place of the first pass.
"""

import math
from dataclasses import dataclass

import torch

from doamc.errors import EstimatorError
from doamc.mimo.blocks import block_dictionary, grid, prior_scale, split_block
from doamc.mimo.channel import Link
from doamc.mimo.criterion import LinkModel
from doamc.mimo.evidence import Evidence
from doamc.mimo.link_end import LinkEnd
from doamc.mimo.link_estimate import LinkEstimate, with_gains
from doamc.mimo.pair_grid import EndGrid, highest_pairs
from doamc.mimo.scouting import MORE, best_choice
from doamc.mimo.sounding import Sounding, sample_covariance
from doamc.mimo.working_set import WorkingSet

MAX_ENTRIES = 1 << 24  #: of the dictionary, 256 MiB


@dataclass(frozen=True)
class SblOptions:
    """How finely and how long.

    step_deg: grid of the first pass. iterations: of each pass. refine: second-pass points a first-pass step (1: none).
    prune: blocks whose power falls below this part of the largest leave the dictionary.
    """

    step_deg: float = 5.0
    iterations: int = 30
    refine: int = 4
    prune: float = 1e-5


def block_sbl(
    link: Link,
    sounding: Sounding,
    received: torch.Tensor,  # shape: (B, S, T), complex
    n_paths: int,
    noise_power: float | None = None,
    options: SblOptions | None = None,
) -> LinkEstimate:
    """Directions (of a grid), gains and couplings of P paths; noise_power: known, or None to learn it.

    Where an end has elevations directions are a few steps of maximum likelihood further, by which peaks are chosen.
    Ends with Fourier orders get the coupling common to all directions, in the mean row. Raises EstimatorError when P or
    the options do not fit, SnapshotError when the received symbols do not.
    """
    sounding.check(received)
    options = options or SblOptions()
    if not 1 <= n_paths < sounding.n_symbols:
        raise EstimatorError(f"number of paths must lie in 1..{sounding.n_symbols - 1}, found {n_paths}")
    if options.step_deg <= 0 or options.iterations < 1 or options.refine < 1:
        raise EstimatorError(f"expected step_deg > 0, iterations >= 1 and refine >= 1, found {options}")
    each = [_one(link, sounding, y, n_paths, noise_power, options) for y in received]
    x, noise = (torch.stack(part) for part in zip(*each, strict=True))
    return with_gains(LinkModel(link, sounding, n_paths), x, received, noise)


def _one(
    link: Link, sounding: Sounding, y: torch.Tensor, n_paths: int, noise_power: float | None, options: SblOptions
) -> tuple[torch.Tensor, ...]:
    """x (D,) of directions and couplings, and noise power of one observation (S, T)."""
    vectors = _vectors(sounding, y)
    first = _in_both_angles if link.elevated else _in_azimuth
    peaks, state = first(link, sounding, vectors, n_paths, noise_power, options)
    found = peaks[:n_paths]
    common = split_block(link, state.shape())
    if link.rx.orders is None or link.tx.orders is None:
        own = _own_shapes(link, sounding, vectors, found, state.root, noise_power, options)
    else:
        own = []
    rx, tx = (_rows(end, common[i], [pair[i] for pair in own]) for i, end in enumerate((link.rx, link.tx)))
    x = torch.cat([found.T.flatten(), rx.flatten(), tx.flatten()])
    if link.elevated:
        grids = [EndGrid(end, options.step_deg).directions for end in (link.rx, link.tx)]
        x = best_choice(LinkModel(link, sounding, n_paths), y, peaks, (rx, tx), (grids[0], grids[1]))
    return x, torch.tensor(state.noise_power, dtype=torch.float64)


def _in_azimuth(
    link: Link, sounding: Sounding, vectors: torch.Tensor, n_paths: int, noise_power: float | None, options: SblOptions
) -> tuple[torch.Tensor, Evidence]:
    """Azimuths (P, 2) of a finer grid, and the state there."""
    rows, columns = grid(link.rx.spec, options.step_deg), grid(link.tx.spec, options.step_deg)
    block = math.prod(len(end.spec.coefficient_family.linear_basis) for end in (link.rx, link.tx))
    entries = len(rows) * len(columns) * block * sounding.n_symbols * len(vectors)
    if entries > MAX_ENTRIES:
        raise EstimatorError(
            f"expected a dictionary of at most {MAX_ENTRIES} entries, found {entries}: {len(rows)} x {len(columns)} "
            f"directions, blocks of {block}, {sounding.n_symbols} symbols; take a coarser grid or fewer symbols"
        )
    wrap = (link.rx.spec.full_circle, link.tx.spec.full_circle)
    pairs = torch.cartesian_prod(rows, columns)
    state, power = _learn(link, sounding, vectors, pairs, prior_root(link), noise_power, options)
    found = pairs[_peaks(power.reshape(len(rows), -1), n_paths, wrap)]
    if options.refine > 1:
        offset = torch.arange(-options.refine, options.refine + 1) / options.refine
        fine = torch.cartesian_prod(offset * (rows[1] - rows[0]), offset * (columns[1] - columns[0]))
        near = (found[:, None] + fine).flatten(0, 1)
        state, power = _learn(link, sounding, vectors, near, state.root, noise_power, options)
        best = power.reshape(n_paths, -1).argmax(1)
        found = near.reshape(n_paths, -1, 2)[torch.arange(n_paths), best]
    return found, state


def _in_both_angles(
    link: Link, sounding: Sounding, vectors: torch.Tensor, n_paths: int, noise_power: float | None, options: SblOptions
) -> tuple[torch.Tensor, Evidence]:
    """More peaks than paths, (P + MORE, A), highest first, and the state with all pairs that were asked for."""
    rows, columns = EndGrid(link.rx, options.step_deg), EndGrid(link.tx, options.step_deg)
    chosen, root, left = WorkingSet(link, sounding, rows, columns), prior_root(link), vectors
    for _ in range(n_paths + 1):
        chosen.grow(left, root, n_paths)
        state, power = _learn(link, sounding, vectors, chosen.pairs, prior_root(link), noise_power, options)
        root, left = state.root, state.left()
    best = highest_pairs(chosen.powers(power), rows, columns, n_paths + MORE)
    row, column = best // len(columns), best % len(columns)
    return torch.cat([rows.directions[row], columns.directions[column]], 1), state


def _vectors(sounding: Sounding, y: torch.Tensor) -> torch.Tensor:
    """Symbols (S, T) as the evidence takes them, (S', T, n).

    With shared beams it depends on them through R_y alone, so more than T subcarriers are replaced by T vectors of the
    same R_y: the time does not grow with S.
    """
    if not sounding.shared:
        return y[:, :, None]
    if len(y) <= y.shape[1]:
        return y.T[None]
    values, vectors = torch.linalg.eigh(sample_covariance(y[None])[0])
    return (vectors * (y.shape[1] * values.clamp_min(0)).sqrt())[None]


def prior_root(link: Link) -> torch.Tensor:
    """Root of the block shape before anything is learnt: coefficients of random phase, (d, d)."""
    return torch.diag(prior_scale(link)).to(torch.complex128)


def _learn(
    link: Link, sounding: Sounding, vectors: torch.Tensor, pairs: torch.Tensor, root: torch.Tensor,
    noise_power: float | None, options: SblOptions,
) -> tuple[Evidence, torch.Tensor]:  # fmt: skip
    """State after the iterations, and the power of every pair (zero where its block was dropped)."""
    entries = len(pairs) * len(root) * sounding.n_symbols * len(vectors)
    if entries > MAX_ENTRIES:
        raise EstimatorError(
            f"expected a dictionary of at most {MAX_ENTRIES} entries, found {entries}: {len(pairs)} pairs of "
            f"directions, blocks of {len(root)}, {sounding.n_symbols} symbols of {len(vectors)} subcarriers; take "
            "fewer symbols"
        )
    state = Evidence(block_dictionary(link, sounding, pairs), vectors, root)
    state.noise_power = noise_power or state.noise_power
    index = torch.arange(len(pairs))
    for i in range(options.iterations):
        state.step(update_shape=True, known_noise=noise_power is not None)
        if i % 5 == 4 and options.prune > 0:
            power = state.power()
            good = torch.nonzero(power > options.prune * power.max())[:, 0]
            if len(good) < len(power):
                state.keep(good)
                index = index[good]
    return state, torch.zeros(len(pairs), dtype=torch.float64).index_copy(0, index, state.power())


def _own_shapes(
    link: Link, sounding: Sounding, vectors: torch.Tensor, found: torch.Tensor, root: torch.Tensor,
    noise_power: float | None, options: SblOptions,
) -> list[tuple[torch.Tensor, torch.Tensor]]:  # fmt: skip
    """Couplings of each path from a shape of its own, learnt on the paths that were found."""
    columns = block_dictionary(link, sounding, found)
    # the shared shape may have lost directions that a path needs: start between it and the prior
    mixed = root @ root.mH / (root @ root.mH)[0, 0].real + prior_root(link).square()
    state = Evidence(columns, vectors, torch.linalg.cholesky(mixed).expand(len(found), -1, -1))
    state.noise_power = noise_power or state.noise_power
    for _ in range(options.iterations):
        state.step(update_shape=True, known_noise=noise_power is not None)
    return [split_block(link, shape) for shape in state.shape()]


def _rows(end: LinkEnd, common: torch.Tensor, own: list[torch.Tensor]) -> torch.Tensor:
    """Parameter rows (Q, 2 K): per path its own, else the common ones in the mean row."""
    if end.orders is None:
        return torch.stack(own)
    return torch.cat([common[None], common.new_zeros(end.n_rows(0) - 1, len(common))])


def _peaks(power: torch.Tensor, n_peaks: int, wrap: tuple[bool, bool]) -> torch.Tensor:
    """Indices into the flat map (R, Q) of its strongest local maxima; where fewer exist, the strongest other points."""
    ring = power[None, None]
    for axis, round_ in zip((2, 3), wrap, strict=True):
        ends = [ring.narrow(axis, ring.shape[axis] - 1, 1), ring, ring.narrow(axis, 0, 1)]
        blank = torch.full_like(ends[0], -1.0)
        ring = torch.cat(ends if round_ else [blank, ring, blank], axis)
    top = torch.nn.functional.max_pool2d(ring, 3, 1)[0, 0]
    score = torch.where(power >= top, power + float(power.max()), power)
    return score.flatten().topk(n_peaks).indices
