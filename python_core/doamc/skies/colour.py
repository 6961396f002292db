"""How errors of the denoiser in neighbouring pixels hang together.

What is not known of a sky is where smooth sources end and how bright they are, so that errors are smooth too. Taking
them for white would put too little of them into the large scales, which visibilities tell most of: measured, that
costs 2 to 3 dB.
"""

import torch

#: cycles a pixel at which the power of the errors has begun to fall, and the exponent of its fall
CORNER, FALL = 0.06, 1.2


def error_colour(
    shape: tuple[int, int], corner: float = CORNER, fall: float = FALL, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Spectrum A (1 + (f / corner)^2)^-fall of errors of unit variance, f in cycles a pixel; fall = 0: white.

    (H, W // 2 + 1), the half of the spectrum that the transform of a real image has; its mean over all is 1.
    """
    rows, columns = (torch.fft.fftfreq(n, dtype=torch.float64) for n in shape)
    full = (1 + (rows[:, None] ** 2 + columns**2) / corner**2) ** -fall
    return (full / full.mean())[:, : shape[1] // 2 + 1].to(device, torch.float32)
