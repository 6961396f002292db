"""The band that a signal occupies: what holds 99 % of its power, without the width of the analysis itself.

Half a per cent lies below it and half a per cent above (ITU-R SM.443). A carrier without modulation seems to be as wide
as `TONE_LINES` lines under Hann's window; a band b seems to be (b^3 + tone^3)^(1/3) wide, which is exact for a carrier
and within 3 % for flat and bell-shaped bands.
"""

import numpy as np
from numpy.typing import NDArray

OUTSIDE = 0.005  #: share of the power on either side
TONE_LINES = 3.52  #: what a carrier seems to occupy, lines
LEAST_LINES = 1.0


def occupied_band(
    excess: NDArray[np.float64],  # shape: (K,), powers of lines above the noise, side by side
    least: float = 0.0,  # what counts
) -> tuple[float, float]:
    """Lower edge and width of the occupied band, in lines from the lower edge of the first."""
    cumulative = np.concatenate([[0.0], np.cumsum(np.where(excess > least, excess, 0.0))])
    if cumulative[-1] <= 0:
        return 0.0, float(len(excess))
    share = cumulative / cumulative[-1]
    low, high = (_crossing(share, level) for level in (OUTSIDE, 1 - OUTSIDE))
    seen = high - low
    width = max(max(seen**3 - TONE_LINES**3, 0.0) ** (1 / 3), LEAST_LINES)
    return float((low + high - width) / 2), float(width)


def _crossing(share: NDArray[np.float64], level: float) -> float:
    """Where a rising share (K + 1,) reaches a level between 0 and 1, in lines."""
    k = int(np.searchsorted(share, level))
    return k - 1 + float((level - share[k - 1]) / (share[k] - share[k - 1]))
