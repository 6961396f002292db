"""Digital modulations: phase shift keying and QAM with any pulse, frequency shift keying, OFDM. (M, L) each."""

import math
from functools import partial

import torch

from doamc.waveforms import pulses
from doamc.waveforms.draws import choice, noise, turn, uniform

#: constellation -> points of unit mean power; squares stand on a side, so that their fourth power is negative
POINTS = {
    "bpsk": torch.tensor([1.0, -1.0], dtype=torch.complex64),
    "qpsk": turn(torch.arange(4) / 4 + 0.125),
    "psk8": turn(torch.arange(8) / 8),
    "qam16": torch.tensor([complex(i, q) for i in (-3, -1, 1, 3) for q in (-3, -1, 1, 3)]).to(torch.complex64)
    / math.sqrt(10),
}


def symbols(name: str, count: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """One symbol a sample, (M, L)."""
    points = POINTS[name]
    return points[torch.randint(len(points), (count, length), generator=generator)]


def _clock(count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples a symbol, 1 to 8, half of them whole, and timing in symbols; (M, 1) each."""
    sps = torch.exp2(uniform(0.0, 3.0, count, generator))
    whole = torch.rand(count, 1, generator=generator, dtype=torch.float32) < 0.5
    return torch.where(whole, sps.round(), sps), uniform(0.0, 1.0, count, generator)


def shaped(name: str, count: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """A constellation under pulses: root raised cosine (two of four), raised cosine, rectangle."""
    sps, timing = _clock(count, generator)
    rolloff = uniform(0.2, 0.5, count, generator)[..., None]
    shapes: list[pulses.Pulse] = [
        partial(pulses.root_raised_cosine, rolloff=rolloff),
        partial(pulses.root_raised_cosine, rolloff=rolloff),
        partial(pulses.raised_cosine, rolloff=rolloff),
        pulses.rectangle,
    ]
    sent = symbols(name, count, pulses.symbols_for(length, sps), generator)
    return pulses.modulate(sent, length, sps, timing, choice(shapes, generator))


def shift_keyed(count: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """Frequency shift keying of 2 or 4 levels with modulation index 0.3 to 1.5, half of it Gaussian (BT 0.2 to 0.7)."""
    sps, timing = _clock(count, generator)
    sps = sps + 1
    level = choice(
        [torch.tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0]), torch.tensor([-1, -1 / 3, 1 / 3, 1])], generator
    )
    index = uniform(0.3, 1.5, count, generator)
    index = torch.where(torch.rand(count, 1, generator=generator, dtype=torch.float32) < 0.4, 0.5, index)  # MSK
    width = uniform(0.2, 0.7, count, generator)[..., None]
    ramps: list[pulses.Pulse] = [pulses.linear_ramp, partial(pulses.gaussian_ramp, bandwidth_time=width)]
    shape = (count, pulses.symbols_for(length, sps))
    sent = level.float()[torch.randint(len(level), shape, generator=generator)]
    return turn(0.5 * index * pulses.phase_of(sent, length, sps, timing, choice(ramps, generator)))


def ofdm(count: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """OFDM of 64 carriers, 20 to 60 of them used, cyclic prefix of 4 to 16 samples, QPSK or 16-QAM on each."""
    used, prefix = int(uniform(20, 60, 1, generator)), int(uniform(4, 16, 1, generator))
    n = length // (64 + prefix) + 2
    name = choice(["qpsk", "qam16"], generator)
    carriers = torch.zeros(count, n, 64, dtype=torch.complex64)
    carriers[..., 1 : used + 1] = symbols(name, count, n * used, generator).unflatten(1, (n, used))
    block = torch.fft.ifft(carriers.roll(-used // 2, 2), dim=2) * 64 / math.sqrt(used)
    stream = torch.cat([block[..., 64 - prefix :], block], 2).flatten(1)
    start = int(torch.randint(64 + prefix, (1,), generator=generator))
    return stream[:, start : start + length]


def white(count: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """Gaussian and white: the control, of which nothing can be known."""
    return noise((count, length), generator)
