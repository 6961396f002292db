"""An adaptive filter: gains of frequencies, learnt functions of the periodogram around each."""

import math

import torch
from torch import nn

from doamc.waveforms.layers import convolution


class SpectralFilter(nn.Module):
    """Real gains 0 to 1 by circular convolutions over frequency: they follow a carrier offset and ignore phases."""

    WIDTHS = (3, 9, 33)  #: bins over which the periodogram is smoothed

    def __init__(self, outputs: int, width: int = 16) -> None:
        super().__init__()
        self.first = convolution(len(self.WIDTHS) + 3, width, 9)
        self.second, self.third = convolution(width, width, 9), convolution(width, outputs, 9)
        for layer in (self.first, self.second, self.third):
            layer.padding_mode, layer._reversed_padding_repeated_twice = "circular", [4, 4]

    def forward(self, x: torch.Tensor, variance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Filtered x (M, outputs, T), and the mean gain of noise power through each (M, outputs).

        x: (M, T); variance: of the noise (M, 1).
        """
        t = x.shape[1]
        n = 2 * 2 ** math.ceil(math.log2(max(t, 16)))
        spectrum = torch.fft.fft(x, n)
        periodogram = ((spectrum.real.square() + spectrum.imag.square()) / (t * (1 + variance)))[:, None]
        smooth = [self._smooth(periodogram, w) for w in self.WIDTHS]
        rows = [torch.log(p + 1e-3) for p in (periodogram, *smooth)]
        levels = torch.stack([variance.log(), torch.full_like(variance, math.log(t / 64))], 1).expand(-1, 2, n) / 4
        h = torch.relu(self.first(torch.cat([*rows, levels], 1)))
        h = h + torch.relu(self.second(h))
        gain = torch.sigmoid(self.third(h))
        filtered = torch.fft.ifft(gain * spectrum[:, None])[..., :t]
        return filtered, gain.square().mean(2)

    @staticmethod
    def _smooth(p: torch.Tensor, width: int) -> torch.Tensor:
        around = nn.functional.pad(p, (width // 2, width // 2), mode="circular")
        return nn.functional.avg_pool1d(around, width, 1)
