"""How far visibilities are from what the prior expects, by rings of the uv plane and levels of noise.

Before a step has seen y again, the prior tells x_0 for N(D, V^(1/2) K V^(1/2)). Coordinates of y - H D then have the
variance sigma_y^2 + s^2 K(k) mean(V). What is found over what is expected is about 1 where the prior knows a sky, and
far from 1 where it does not, first of all at the highest frequencies: edges and points that it would not draw.
"""

import torch

from doamc.imaging.sampling import FourierSampling
from doamc.skies.chain import Prior

EDGES = (4.0, 8.0, 16.0)  #: cycles an image, between rings
RINGS, LEVELS = len(EDGES) + 1, 5
LEAST, MOST = 1e-2, 1e4  #: ratios; what is beyond counts as these
FEW = 8  #: cells of a ratio of 1 that are added to those of a ring


class Surprise:
    """A prior that keeps how much it is surprised, in whatever units of flux: those of y."""

    def __init__(
        self,
        prior: Prior,
        operator: FourierSampling,
        y: torch.Tensor,  # shape: (B, R)
        noise_power: torch.Tensor,  # shape: (B, 1)
        colour: torch.Tensor,  # shape: (H, W // 2 + 1), K
        ends: tuple[torch.Tensor, torch.Tensor],  # (B, 1) each, the levels that a sweep begins and ends at
    ) -> None:
        self.prior, self.operator, self.y, self.noise_power, self.ends = prior, operator, y, noise_power, ends
        rows, columns = operator.cells // operator.shape[1], operator.cells % operator.shape[1]
        row_k, column_k = (torch.minimum(i, n - i) for i, n in zip((rows, columns), operator.shape, strict=True))
        # the spectrum of a real image is the same at k and at -k
        mirrored = torch.where(columns == column_k, rows, (operator.shape[0] - rows) % operator.shape[0])
        self.expected_gain = operator.s.square() * colour.to(y.dtype)[mirrored, column_k]
        ring = torch.bucketize(torch.hypot(row_k.to(y.dtype), column_k.to(y.dtype)), torch.tensor(EDGES), right=True)
        self.of_ring = torch.nn.functional.one_hot(ring, RINGS).to(y.dtype)  # (R, rings)
        self.sums = y.new_zeros(2, LEVELS, len(y), RINGS)  # found and expected

    def posterior(self, x_t: torch.Tensor, alpha: float, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As that of the prior."""
        mean, variance = self.prior.posterior(x_t, alpha, sigma)
        found = (self.y - self.operator.apply(mean)).square() @ self.of_ring
        expected = variance.mean(1, keepdim=True) * (self.expected_gain @ self.of_ring)
        first, last = self.ends
        share = float((sigma / first).log().mean() / (last / first).log().mean().clamp_max(-1e-6))
        level = min(max(round(share * (LEVELS - 1)), 0), LEVELS - 1)
        self.sums[0, level] += found
        self.sums[1, level] += expected + self.noise_power * self.of_ring.sum(0)
        return mean, variance

    def logarithms(self) -> torch.Tensor:
        """Those of what was found over what was expected, (B, LEVELS, RINGS), 0 where nothing was seen."""
        found, expected = self.sums.movedim(2, 1)
        cells = self.of_ring.sum(0)
        ratio = torch.where(expected > 0, found / expected.clamp_min(1e-30), 1)
        return ((ratio * cells + FEW) / (cells + FEW)).clamp(LEAST, MOST).log()
