"""The table of what emitters send, with the share of each in training, and draws of it.

Every waveform has an unknown phase, a carrier offset, and a power that is 1 only to within a decibel, as it is where
the power of an emitter is estimated. A tenth are bursts: silent in a part of the window.
"""

import math
from collections.abc import Callable
from functools import partial

import torch

from doamc.errors import SpecificationError
from doamc.waveforms import analogue, digital
from doamc.waveforms.draws import noise, turn, uniform

Draw = Callable[[int, int, torch.Generator], torch.Tensor]

#: kind -> (share of training, draw(M, L, generator) -> waveforms (M, L) of unit expected power, but for its level)
KINDS: dict[str, tuple[float, Draw]] = {
    "bpsk": (3, partial(digital.symbols, "bpsk")),
    "qpsk": (10, partial(digital.symbols, "qpsk")),
    "psk8": (6, partial(digital.symbols, "psk8")),
    "qam16": (7, partial(digital.symbols, "qam16")),
    "bpsk-shaped": (4, partial(digital.shaped, "bpsk")),
    "qpsk-shaped": (12, partial(digital.shaped, "qpsk")),
    "psk8-shaped": (4, partial(digital.shaped, "psk8")),
    "qam16-shaped": (4, partial(digital.shaped, "qam16")),
    "fsk": (8, digital.shift_keyed),
    "ofdm": (3, digital.ofdm),
    "cm": (10, analogue.wandering),
    "fm": (4, analogue.voice_fm),
    "am": (2, analogue.voice_am),
    "cw": (3, analogue.carrier),
    "band-noise": (8, analogue.band_noise),
    "gauss": (12, digital.white),
}
BURSTS = 0.1  #: share that is silent in a part of the window
OFFSET, WIDE_OFFSET = 0.02, 0.25  #: most carrier offset in cycles a sample: of most, and of a tenth


def draw_kind(kind: str, count: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """Waveforms (M, L) complex64 of one kind and unit power, with phase and carrier offset, without bursts.

    All have one pulse, where the kind has several, and one smoothness.
    Raises SpecificationError on a kind that is not in `KINDS`.
    """
    if kind not in KINDS:
        raise SpecificationError(f"waveform must be one of {', '.join(KINDS)}, found {kind!r}")
    s = KINDS[kind][1](count, length, generator)
    if kind not in ("gauss", "qam16"):  # their power in a window is no constant
        s = s / s.abs().square().mean(1, keepdim=True).sqrt().clamp_min(1e-3)
    far = torch.rand(count, 1, generator=generator, dtype=torch.float32) < 0.1
    offset = uniform(-1, 1, count, generator) * torch.where(far, WIDE_OFFSET, OFFSET)
    return s * turn(offset * torch.arange(length) + uniform(0, 1, count, generator))


def draw_training(count: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """Waveforms (M, L) of kinds drawn by their shares, with bursts, and power 1 to within a decibel or so."""
    shares = torch.tensor([share for share, _ in KINDS.values()], dtype=torch.float32)
    drawn = torch.multinomial(shares, count, True, generator=generator).bincount(minlength=len(KINDS))
    parts = [draw_kind(kind, n, length, generator) for kind, n in zip(KINDS, drawn.tolist(), strict=True) if n]
    s = _gated(torch.cat(parts), generator)
    level_db = 0.5 * torch.randn(count, 1, generator=generator, dtype=torch.float32)
    return s * torch.exp(level_db * (math.log(10) / 20))


def _gated(s: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """The same with a share of bursts, each of unit power over the window; ramps of one to four samples."""
    count, length = s.shape
    on = uniform(0.2, 0.8, count, generator) * length
    start = uniform(-0.3, 1, count, generator) * (length - 0.5 * on)
    t, ramp = torch.arange(length), uniform(1, 4, count, generator)
    gate = ((t - start) / ramp).clamp(0, 1) * ((start + on - t) / ramp).clamp(0, 1)
    burst = s * gate
    power = burst.abs().square().mean(1, keepdim=True)
    chosen = (torch.rand(count, 1, generator=generator, dtype=torch.float32) < BURSTS) & (power > 0.1)
    return torch.where(chosen, burst / power.clamp_min(0.1).sqrt(), s)


def noisy(s: torch.Tensor, sigma: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """X = s + sigma n with n ~ CN(0, 1); s (M, L), sigma (M,)."""
    return s + sigma[:, None] * noise(tuple(s.shape), generator)
