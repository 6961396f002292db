"""95 % intervals of what is counted and measured over a number of trials."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.trials.shares import NORMAL_95, share_band

_Bounds = tuple[NDArray[np.float64], NDArray[np.float64]]


def band_of(key: str, rows: list[dict[str, Any]]) -> _Bounds | None:
    """Interval of one column of `doamc compare`, a value a row; None for a column that has no interval.

    The interval of a root mean square is symmetric in its logarithm, as its axis is.
    """

    def column(name: str) -> NDArray[np.float64]:
        return np.array([np.nan if r[name] is None else r[name] for r in rows], dtype=float)

    if key == "hits":
        return share_band(column("hits"), column("trials"))
    if key == "rmse_hit_deg":
        rmse = column(key)
        factor = np.exp(NORMAL_95 * column("rmse_hit_std_deg") / rmse)
        return rmse / factor, rmse * factor
    return None
