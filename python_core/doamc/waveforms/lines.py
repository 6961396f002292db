"""Spectral lines of powers of a waveform: where its carrier and its symbol clock show.

x^m of phase shift keying with m (or a divisor of m) points is a line at m times the carrier offset. A line of unknown
frequency, amplitude and phase in white noise of unknown power has the likelihood ratio (1 - rho^2)^-T, with rho the
coherence of T samples with a tone; the line is the mean over tones, weighted by that, on a grid of a quarter of a
resolution cell, and then moved within its cell of the grid by one Newton step of its frequency. [Rife-Boorstyn] for the
tone, [Viterbi-Viterbi] for the powers.
"""

import math
from dataclasses import dataclass

import torch


@dataclass
class Line:
    """A line as it was found."""

    wave: torch.Tensor  #: (M, T) complex, at the level of what it was found in
    strength: torch.Tensor  #: (M,) log likelihood ratio of a line against none, over T

    @property
    def phasor(self) -> torch.Tensor:
        """Its phase as unit phasors, (M, T)."""
        return unit(self.wave)


def unit(x: torch.Tensor) -> torch.Tensor:
    """Phases as unit phasors; near 0, where there is no phase, smoothly 0."""
    return x / (x.real.square() + x.imag.square() + 1e-12).sqrt()


def power(x: torch.Tensor, m: int) -> torch.Tensor:
    """|x|^2 exp(j m arg x), for m >= 2: the m-th power of the phase, without what it would do to large samples."""
    if m == 1:
        return x
    phase = unit(x)
    for _ in range(m.bit_length() - 1):
        phase = phase * phase
    return phase * (x.real.square() + x.imag.square())


def find_line(q: torch.Tensor, one_sided: bool = False) -> Line:
    """The line in q (M, T), real or complex. one_sided: of frequencies above 0 only, so that the line is analytic."""
    t = q.shape[1]
    n = 4 * 2 ** math.ceil(math.log2(max(t, 2)))
    spectrum = torch.fft.fft(q, n)
    energy = (q.real.square() + q.imag.square() if q.is_complex() else q.square()).sum(1, keepdim=True)
    coherence = (spectrum.real.square() + spectrum.imag.square()) / (t * energy + 1e-12)
    ratio = -t * torch.log1p(-coherence.clamp(max=1 - 1e-6))
    if one_sided:
        bins = torch.arange(n, device=q.device)
        kept = (bins >= 8) & (bins < n // 2)  # not the slow changes of a level
        ratio, spectrum = ratio * kept, spectrum * kept
    wave = torch.fft.ifft(torch.softmax(ratio, 1) * spectrum)[:, :t] * (n / t)
    wave = _between(q, wave, energy / t, n)
    return Line(wave, (torch.logsumexp(ratio, 1) - math.log(n)) / t)


def _between(q: torch.Tensor, wave: torch.Tensor, level: torch.Tensor, n: int) -> torch.Tensor:
    """The line with phase and frequency (of a grid of n) improved: level (M, 1) is the mean power of q.

    Frequencies within a cell of the grid are as likely as each other, of variance (2 pi / n)^2 / 12.
    """
    t = q.shape[1]
    tau = torch.arange(t, device=q.device, dtype=wave.real.dtype) - (t - 1) / 2
    spread = (tau.square()).sum()
    phasor = unit(wave)
    left = q * phasor.conj()
    mean = left.mean(1, keepdim=True)
    left = left * unit(mean).conj()
    amplitude = mean.abs()
    noise = ((level - amplitude.square()) / 2).clamp_min(1e-6)
    known = 12 * (n / (2 * math.pi)) ** 2
    step = amplitude * (tau * left.imag).sum(1, keepdim=True) / (amplitude.square() * spread + known * noise)
    step = step.clamp(-math.pi / n, math.pi / n)
    return wave * unit(mean) * torch.polar(torch.ones_like(step), step * tau)
