"""Reading what `antenna.prior_file` writes: a family of drawn antennas, at one frequency or between several."""

import hashlib
from pathlib import Path

import numpy as np
import torch

from doamc.coupling.drawn import DrawnFamily
from doamc.coupling.interpolation import interpolation_weights
from doamc.coupling.size import check_entries
from doamc.errors import SpecificationError
from doamc.files.tensor_files import read_tensors
from doamc.text import shown

LARGEST_ENTRY = 1e6  #: of mean, patterns and projection, and of deviations and their inverses; near 1 where made


def load_drawn_family(path: str | Path, frequency: float = 1.0) -> DrawnFamily:
    """Family of a prior file: safetensors with mean, patterns and projection, real and imaginary part last.

    frequency: relative to that of design. A file with ``frequency`` (F,) holds one of each tensor a node, and its
    family is interpolated; z means the same array at every frequency. Raises SpecificationError that names the file
    and what is wrong with it, or that it does not hold for that frequency.
    """
    what = f"{path}: expected a prior file with mean, patterns and projection; doamc antenna writes one"
    tensors = {k: v.double() for k, v in read_tensors(path, SpecificationError, what)[0].items()}
    parts = [tensors[k] for k in ("mean", "patterns", "projection") if k in tensors]
    nodes = tensors.get("frequency", torch.ones(1, dtype=torch.float64)).flatten().numpy()
    weights, scales = tensors.get("weights"), tensors.get("scales")
    shapes = ", ".join(shown(tuple(v.shape)) for v in parts)
    if len(parts) < 3 or any(v.ndim == 0 or v.shape[-1] != 2 for v in parts):
        raise SpecificationError(f"{what}, real and imaginary part last; found {shapes or 'none'}")
    mean, patterns, projection = map(torch.view_as_complex, parts)
    many = len(nodes) > 1
    axes = [v.ndim - 1 - many for v in parts]
    ascending = len(nodes) > 0 and bool((np.diff(nodes) > 0).all())
    if axes != [2, 3, 2] or not ascending or (many and any(len(v) != len(nodes) for v in parts)):
        raise SpecificationError(
            f"{path}: expected mean (N, J N), patterns (K, N, J N), projection (J N, N), each of all frequencies where "
            f"there are several, in ascending order; found {shapes} and {len(nodes)} frequencies"
        )
    if not all(v.numel() and v.abs().max() <= LARGEST_ENTRY for v in parts):
        raise SpecificationError(f"{path}: expected numbers up to {LARGEST_ENTRY:g}, found none, or larger ones")
    low, high = nodes.min(), nodes.max()
    if not low - 1e-9 <= frequency <= high + 1e-9:
        raise SpecificationError(
            f"{path}: holds for {low:g} to {high:g} times the frequency of design, found {frequency:g}; see [antenna] "
            "frequency_range"
        )
    if many:
        weight = torch.from_numpy(interpolation_weights(nodes, frequency))
        mean, patterns, projection = _between(weight, mean, patterns, projection)
    n, wide = mean.shape
    if not n or wide % n or (wide // n) % 2 != 1 or patterns.shape[1:] != (n, wide) or projection.shape != (wide, n):
        raise SpecificationError(
            f"{path}: expected mean (N, J N), patterns (K, N, J N), projection (J N, N) with odd J, found {shapes}"
        )
    check_entries(n, len(patterns))
    if not (mean @ projection).diagonal().mean().abs() > 1 / LARGEST_ENTRY:
        raise SpecificationError(f"{path}: expected a coupling with a diagonal, found none")
    if weights is None or scales is None or weights.shape == (1,):
        return DrawnFamily(mean, patterns, projection)
    fit = weights.ndim == 1 and scales.shape == (len(weights), len(patterns))
    if not fit or not min(weights.min(), scales.min()) > 1 / LARGEST_ENTRY or not abs(weights.sum() - 1) < 1e-3:
        raise SpecificationError(
            f"{path}: expected weights (M,) whose sum is 1 and scales (M, K), above zero, found "
            f"{shown(tuple(weights.shape))} and {shown(tuple(scales.shape))} for K = {len(patterns)}"
        )
    return DrawnFamily(mean, patterns, projection, weights=weights, scales=scales)


def _between(
    weights: torch.Tensor,  # shape: (F,)
    mean: torch.Tensor,  # shape: (F, N, J N)
    patterns: torch.Tensor,  # shape: (F, K, N, J N)
    projection: torch.Tensor,  # shape: (F, J N, N)
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tensors at a frequency, again so that C has mean diagonal 1 whatever the parameters."""
    m, e, w = (torch.tensordot(weights.to(x.dtype), x, 1) for x in (mean, patterns, projection))
    m = m / (m @ w).diagonal().mean()
    return m, e - (e @ w).diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * m, w


def file_digest(path: str | Path) -> str:
    """Fingerprint of a prior file. Raises SpecificationError when it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise SpecificationError(f"[coupling] prior must be a file that can be read, found {path} ({error})") from error
