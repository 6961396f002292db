"""Coupling of a rectangular grid: one coefficient for every lag of rows and columns, whichever way it goes."""

import math

import torch

from doamc.coupling.coefficients import CoefficientFamily
from doamc.coupling.size import check_entries
from doamc.errors import SpecificationError
from doamc.text import shown


def lattice_family(
    rows: int, columns: int, lags: list[list[int]], magnitude: list[list[float]], phase_deg: float = 180.0
) -> CoefficientFamily:
    """Family of a panel, element r * columns + c.

    lags: [rows, columns] of each coefficient c_k: elements so many rows and so many columns apart, up or down, left or
    right, couple by it. magnitude: [low, high] of every |c_k|. phase_deg: half-width of the phases.
    Raises SpecificationError on lags that the grid does not have or that come twice, or ranges that do not fit them.
    """
    wanted = f"different lags other than [0, 0], up to [{rows - 1}, {columns - 1}]"
    there = all(0 <= r < rows and 0 <= c < columns and r + c > 0 for r, c in lags)
    if not lags or not there or len({tuple(lag) for lag in lags}) < len(lags):
        raise SpecificationError(f"[coupling] lags of a {rows} by {columns} grid must be {wanted}, found {shown(lags)}")
    if len(magnitude) != len(lags):
        raise SpecificationError(
            f"[coupling] magnitude must be one range for each of {len(lags)} lags, found {len(magnitude)}"
        )
    check_entries(rows * columns, 2 * len(lags))
    place = torch.cartesian_prod(torch.arange(rows), torch.arange(columns))
    apart = (place[:, None] - place).abs()
    patterns = torch.stack([(apart == torch.tensor(lag)).all(-1) for lag in lags]).to(torch.complex128)
    ranges = torch.as_tensor(magnitude, dtype=torch.float64)
    return CoefficientFamily("lattice", patterns, ranges, math.radians(phase_deg))
