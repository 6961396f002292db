"""How bright the brightest pixel of a sky is: what the prior takes for its unit."""

import torch

from doamc.imaging.sampling import FourierSampling

#: power of the mean sky of peak 1 at k cycles an image, P = A (1 + (k / k_0)^2)^-2, for 64 x 64 pixels
POWER, CORNER = 3.7, 1.8


def guessed_peak(operator: FourierSampling, y: torch.Tensor, noise_power: float) -> torch.Tensor:
    """Peaks (B, 1) of skies with visibilities y (B, R), by their power; within a factor of three of most."""
    n, m = operator.shape
    rows, columns = torch.fft.fftfreq(n, 1 / n), torch.fft.fftfreq(m, 1 / m)
    k = (rows[:, None].square() + columns.square()).flatten().to(y.device)[operator.cells]
    expected = (operator.s.square() * POWER * n * m / 64**2 * (1 + k / CORNER**2) ** -2).sum()
    found = (y.square() - noise_power).sum(1, keepdim=True)
    return (found.clamp_min(noise_power) / expected).sqrt()


def nearest_power(peak: torch.Tensor) -> torch.Tensor:
    """The nearest power of two: what is measured in it has a peak of 0.7 to 1.4, which the prior knows."""
    return torch.exp2(peak.clamp_min(1e-30).log2().round())
