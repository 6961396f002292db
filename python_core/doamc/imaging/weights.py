"""Weights of baselines: natural, uniform and Briggs: [Briggs] ch. 3."""

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError

#: natural: least noise; uniform: every cell of the uv plane alike, the narrowest beam; briggs: between them
WEIGHTINGS = ("natural", "uniform", "briggs")
#: robustness that is as good as uniform, and as natural
ROBUST = (-2.0, 2.0)


def baseline_weights(
    uv: NDArray[np.float64],  # shape: (M, 2 or 3), wavelengths
    sigma: NDArray[np.float64] | float,  # noise per complex visibility, (M,) or one
    side: int,
    pixel: float,
    weighting: str = "natural",
    robust: float = 0.0,
) -> NDArray[np.float64]:
    """Weights (M,), of sum 1, for an image of side x side pixels of this size in direction cosines.

    With 1 / sigma^2 summed to W_c in the cell c of a baseline, 1 / (side pixel) wide:
    natural 1 / sigma^2, uniform 1 / (sigma^2 W_c), briggs 1 / (sigma^2 (1 + f^2 W_c)),
    f^2 = (5 10^-robust)^2 sum_k 1 / sigma_k^2 / sum_c W_c^2.

    Raises ImagingError on an unknown weighting, a robustness outside of -2 to 2, or a sigma that is not positive.
    """
    if weighting not in WEIGHTINGS or not ROBUST[0] <= robust <= ROBUST[1]:
        raise ImagingError(f"expected a weighting of {', '.join(WEIGHTINGS)} and a robustness of -2 to 2, found "
                           f"{weighting!r} and {robust:g}")  # fmt: skip
    noise = np.broadcast_to(np.asarray(sigma, np.float64), (len(uv),))
    if not (np.isfinite(noise) & (noise > 0)).all():
        raise ImagingError("expected sigma > 0, the noise per complex visibility, found one that is not")
    weights = (noise / noise.min()) ** -2.0
    if weighting != "natural":
        cells = np.rint(np.asarray(uv)[:, :2] * (side * pixel)).astype(np.int64)
        # V(-u) is known with V(u): both fall into the cell of the one in the upper half plane
        lower = (cells[:, 1] < 0) | ((cells[:, 1] == 0) & (cells[:, 0] < 0))
        cells[lower] *= -1
        _, index = np.unique(cells, axis=0, return_inverse=True)
        total = np.bincount(index.ravel(), weights)
        crowd = total[index.ravel()]
        factor = (5 * 10**-robust) ** 2 * weights.sum() / (total**2).sum()
        weights = weights / crowd if weighting == "uniform" else weights / (1 + factor * crowd)
    return np.asarray(weights / weights.sum())
