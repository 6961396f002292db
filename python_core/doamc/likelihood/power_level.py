"""The level of a batch: brought to where the prior over source powers is, when it is plainly elsewhere.

The prior puts sources at fixed powers (0 dB is the reference); a receiver's scale is arbitrary. A batch whose signal
power cannot be a draw from the prior is rescaled to its middle; one that can is left alone, since its level then says
something about the scene.
"""

import torch

from doamc.snapshots.noise_level import noise_power_from_eigenvalues, unbiased_noise_power
from doamc.spec import ArraySpec

COUPLING_GAIN = 2.0  #: coupling changes what a source delivers by at most so much, either way, for the shipped families
SIGMAS = 4.0  #: standard deviations of chance that a level may be off
LEAST_SIGNAL = 1e-3  #: of the total power: what is left of a level that is all noise is not divided by


def prior_gain(
    spec: ArraySpec,
    covariance: torch.Tensor,  # shape: (B, N, N)
    snapshots: torch.Tensor,  # shape: (B,)
    n_sources: int,
    noise_power: torch.Tensor | None,  # shape: (B,) where known
) -> torch.Tensor:
    """Factors (B,) on the covariance; exactly 1 where the level may be the prior's."""
    n, p = covariance.shape[-1], n_sources
    total = covariance.diagonal(dim1=1, dim2=2).real.mean(1)
    if noise_power is None:
        noise = unbiased_noise_power(noise_power_from_eigenvalues(covariance, p), snapshots, p)
        noise = torch.where(snapshots >= n, noise, torch.zeros_like(noise))
    else:
        noise = noise_power
    error = noise * (1 / (snapshots * n) + 1 / (snapshots * (n - p))).sqrt()
    low, high = (p * 10 ** (v / 10) for v in spec.power_db)
    # range, `SIGMAS` either way, of the mean of L exponential variables (Wilson and Hilferty 1931)
    middle, width = 1 - 1 / (9 * snapshots), SIGMAS / (3 * snapshots.sqrt())
    least = (middle - width).clamp_min(0.0) ** 3 * low / COUPLING_GAIN
    most = (middle + width) ** 3 * high * COUPLING_GAIN
    signal = total - noise
    outside = (signal + SIGMAS * error < least) | (signal - SIGMAS * error > most)
    wanted = p * 10 ** (sum(spec.power_db) / 20)
    return torch.where(outside, wanted / signal.clamp_min(LEAST_SIGNAL * total), torch.ones_like(total))
