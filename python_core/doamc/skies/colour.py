"""How errors of the denoiser in neighbouring pixels hang together.

What is not known of a sky is where smooth sources end and how bright they are, so that errors are smooth too. Taking
them for white would put too little of them into the large scales, which visibilities tell most of: measured, that
costs 2 to 3 dB.
"""

import torch

#: cycles a pixel at which the power of the errors has begun to fall, and the exponent of its fall
CORNER, FALL = 0.06, 1.2


class ErrorColour:
    """A filter K of real images (..., H W), flat: positive, even, with ones on the diagonal of its matrix."""

    def __init__(self, shape: tuple[int, int], corner: float = CORNER, fall: float = FALL) -> None:
        """K(f) = A (1 + (f / corner)^2)^-fall, f in cycles a pixel. fall = 0: white errors."""
        self.shape = shape
        rows, columns = torch.fft.fftfreq(shape[0]), torch.fft.fftfreq(shape[1])
        full = (1 + (rows[:, None] ** 2 + columns**2) / corner**2) ** -fall
        self.root = (full / full.mean()).sqrt()[:, : shape[1] // 2 + 1]

    def half(self, x: torch.Tensor) -> torch.Tensor:
        """K^(1/2) x, symmetric."""
        transform = torch.fft.rfft2(x.unflatten(-1, self.shape)) * self.root.to(x.dtype)
        return torch.fft.irfft2(transform, s=self.shape).flatten(-2)
