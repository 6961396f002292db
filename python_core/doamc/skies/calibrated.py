"""Deviations whose intervals hold what they promise: conformal factors, found on skies that are not trained on.

The chain tells more than there is. In empty pixels its variance is that of rare faint sources, and most errors are far
smaller; in bright ones every draw carries what so few steps leave over. A chain that made no sweep tells too little.
The factors are such that image +- 1.645 std holds the truth in 90 % of the pixels, in faint ones and in bright ones;
they were fitted to three skies each on four kinds of coverage at sigma 0.005, and on two of them at 0.03.
"""

import torch

BRIGHT, BRIGHT_AT_ONCE = 0.75, 0.55  #: factor of long chains, and what is added to it where there is no sweep
FAINT, FAINT_AT_ONCE = 0.23, 0.27


def calibrated(
    deviation: torch.Tensor,  # shape: (B, N), of the chain
    image: torch.Tensor,  # shape: (B, N)
    noise: torch.Tensor,  # shape: (B, 1), deviation of the noise of a visibility, in the same units
    bottom: torch.Tensor,  # shape: (B, 1), level of noise at which sweeps end, in these units
    sweeps: int,
) -> torch.Tensor:
    """Deviations (B, N); pixels count as faint below half of the noise, as bright above twice as much."""
    # where sweeps end above the noise, the draws vary more than what is known by the visibilities
    bright = (BRIGHT + BRIGHT_AT_ONCE / (1 + sweeps)) * (noise / bottom).clamp_max(1).sqrt()
    faint = FAINT + FAINT_AT_ONCE / (1 + sweeps)
    share = (0.5 * (image / (0.5 * noise)).clamp_min(1e-30).log2()).clamp(0, 1)
    return deviation * faint * (bright / faint) ** share
