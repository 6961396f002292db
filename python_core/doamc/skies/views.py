"""A prior that sees each sky mirrored and turned, another way at every step.

A sky seen in a mirror is as likely as the sky; a network that has learned this from examples is off by a little, and
otherwise off for each view. Over many steps these errors cancel.
"""

import torch

from doamc.skies.chain import Prior


def viewed(image: torch.Tensor, view: int) -> torch.Tensor:
    """(..., H, W) -> (..., H, W), or (..., W, H) where the view is 4 or more. view: 0 is the image itself, up to 7."""
    mirrors = [axis for bit, axis in ((1, -1), (2, -2)) if view & bit]
    image = image.flip(mirrors) if mirrors else image
    return image.mT if view & 4 else image


def back(image: torch.Tensor, view: int) -> torch.Tensor:
    """The inverse of `viewed`."""
    return viewed(image.mT if view & 4 else image, view & 3)


class Views:
    """The prior in views 0, 1, 2 ... one a call: eight of square images, four of others."""

    def __init__(self, prior: Prior, shape: tuple[int, int]) -> None:
        self.prior, self.shape, self.calls = prior, shape, 0
        self.count = 8 if shape[0] == shape[1] else 4

    def posterior(self, x_t: torch.Tensor, alpha: float, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance as the prior has them for this view, turned back, (B, N) each."""
        view, self.calls = self.calls % self.count, self.calls + 1
        seen = viewed(x_t.unflatten(1, self.shape), view).flatten(1)
        found = self.prior.posterior(seen, alpha, sigma)
        mean, variance = (back(v.unflatten(1, self.shape), view).flatten(1) for v in found)
        return mean, variance
