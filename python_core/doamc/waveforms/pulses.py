"""Pulses of linear modulations, phase pulses of frequency modulations, and the sums of shifted pulses.

Time is in symbols: a waveform is s(t) = sum_k a_k p(t - k), sampled at t = n / (samples a symbol) - timing.
"""

import math
from collections.abc import Callable

import torch

SPAN = 8  #: symbols to each side that reach a sample; a root raised cosine of roll-off 0.2 is below -50 dB there

Pulse = Callable[[torch.Tensor], torch.Tensor]


def root_raised_cosine(t: torch.Tensor, rolloff: torch.Tensor) -> torch.Tensor:
    """Root raised cosine of roll-off 0 < b <= 1 at times t in symbols; unit energy a symbol."""
    t = t + 1e-4  # off the removable poles at 0 and at 1 / (4 b)
    x = math.pi * t
    four = 4 * rolloff * t
    return (torch.sin(x * (1 - rolloff)) + four * torch.cos(x * (1 + rolloff))) / (x * (1 - four**2) + 1e-9)


def raised_cosine(t: torch.Tensor, rolloff: torch.Tensor) -> torch.Tensor:
    """Raised cosine of roll-off 0 < b <= 1: what a matched filter makes of the root; no crosstalk of symbols."""
    t = t + 1e-4
    return torch.sinc(t) * torch.cos(math.pi * rolloff * t) / (1 - (2 * rolloff * t) ** 2 + 1e-9)


def rectangle(t: torch.Tensor) -> torch.Tensor:
    """A pulse that lasts its symbol, -1/2 <= t < 1/2."""
    return ((t >= -0.5) & (t < 0.5)).to(t.dtype)


def linear_ramp(t: torch.Tensor) -> torch.Tensor:
    """Phase pulse of frequency shift keying: 0 before the symbol, 1 after it, straight between."""
    return (t + 0.5).clamp(0, 1)


def gaussian_ramp(t: torch.Tensor, bandwidth_time: torch.Tensor) -> torch.Tensor:
    """Phase pulse of Gaussian shift keying, BT as in GMSK: the integral of a rectangle through a Gaussian filter."""
    spread = math.sqrt(math.log(2)) / (2 * math.pi * bandwidth_time)

    def integral(x: torch.Tensor) -> torch.Tensor:
        return x * torch.special.ndtr(x) + torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)

    return spread * (integral((t + 0.5) / spread) - integral((t - 0.5) / spread))


def _around(length: int, sps: torch.Tensor, timing: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Index of the first symbol that reaches each sample (M, L), all (M, L, 2 SPAN + 1), and times from them."""
    t = torch.arange(length, dtype=torch.float32) / sps + 1 + timing
    first = (t + 0.5).floor().long()
    index = first[..., None] + torch.arange(2 * SPAN + 1)
    return first, index, t[..., None] + SPAN - index


def symbols_for(length: int, sps: torch.Tensor) -> int:
    """Symbols that a waveform of so many samples needs, at sps (M, 1) samples a symbol."""
    return int(length / float(sps.min())) + 2 * SPAN + 4


def modulate(symbols: torch.Tensor, length: int, sps: torch.Tensor, timing: torch.Tensor, pulse: Pulse) -> torch.Tensor:
    """Sum of shifted pulses, (M, L).

    symbols: (M, K), K of `symbols_for`. sps: samples a symbol (M, 1), any number. timing: (M, 1), 0 to 1 symbol.
    pulse: p(t), for t (M, L, 2 SPAN + 1).
    """
    _, index, t = _around(length, sps, timing)
    near = symbols.gather(1, index.flatten(1)).unflatten(1, index.shape[1:])
    return (near * pulse(t)).sum(2)


def phase_of(symbols: torch.Tensor, length: int, sps: torch.Tensor, timing: torch.Tensor, ramp: Pulse) -> torch.Tensor:
    """Sum of shifted phase pulses, which stay at 1 after their symbol, (M, L); arguments as for `modulate`."""
    first, _, _ = _around(length, sps, timing)
    before = torch.nn.functional.pad(symbols.cumsum(1), (1, 0)).gather(1, first)
    return before + modulate(symbols, length, sps, timing, ramp)
