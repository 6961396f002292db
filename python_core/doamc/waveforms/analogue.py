"""Analogue emitters: constant modulus, voice, carriers, noise of a band. (M, L) each."""

import math

import torch

from doamc.waveforms.draws import noise, turn, uniform


def smooth_noise(count: int, length: int, reach: int, generator: torch.Generator) -> torch.Tensor:
    """Real Gaussian numbers of unit variance, smoothed by a Hann window of `reach` samples."""
    raw = torch.randn(count, 1, length + reach - 1, generator=generator, dtype=torch.float32)
    window = torch.hann_window(reach + 2, periodic=False, dtype=torch.float32)[1:-1]
    return torch.nn.functional.conv1d(raw, (window / window.norm())[None, None])[:, 0]


def _reach(low: float, high: float, generator: torch.Generator) -> int:
    return round(math.exp(float(uniform(math.log(low), math.log(high), 1, generator))))


def wandering(count: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """Constant modulus; the frequency is smooth noise of 0.05 to 1 rad a sample."""
    rate = smooth_noise(count, length, _reach(3, 40, generator), generator)
    return turn((rate * uniform(0.05, 1.0, count, generator)).cumsum(1) / (2 * math.pi))


def voice_fm(count: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """Frequency modulation by a slow signal, deviation up to a tenth of the sample rate."""
    sound = smooth_noise(count, length, _reach(12, 150, generator), generator)
    return turn((sound * uniform(0.0, 0.1, count, generator)).cumsum(1))


def voice_am(count: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """Amplitude modulation by a slow signal, with a carrier or without one."""
    sound = smooth_noise(count, length, _reach(12, 150, generator), generator)
    carrier = (torch.rand(count, 1, generator=generator, dtype=torch.float32) < 0.7).float()
    return torch.complex(carrier + sound * uniform(0.2, 0.6, count, generator), torch.zeros(count, length))


def carrier(count: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """A carrier whose phase wanders by no more than 0.02 rad a sample."""
    drift = smooth_noise(count, length, 9, generator) * uniform(0.0, 0.02, count, generator)
    return turn(drift.cumsum(1) / (2 * math.pi))


def band_noise(count: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """Gaussian noise of a band, 3 to 90 % of the sample rate wide with edges of any steepness, anywhere in it."""
    n = 2 * length  # of which half is kept, so that the ends do not meet
    width, edge = uniform(0.03, 0.9, count, generator), torch.exp(uniform(-7, -2.5, count, generator))
    f = torch.fft.fftfreq(n, dtype=torch.float32)
    gain = torch.sigmoid((width / 2 - f.abs()) / edge).sqrt()
    spectrum = noise((count, n), generator) * gain * math.sqrt(n) / gain.square().mean(1, keepdim=True).sqrt()
    centre = uniform(-0.4, 0.4, count, generator) * (1 - width)
    return torch.fft.ifft(spectrum)[:, :length] * turn(centre * torch.arange(length))
