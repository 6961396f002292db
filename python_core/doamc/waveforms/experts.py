"""Posterior means in closed form, sample by sample, for those alphabets that have one.

x = s + n, n ~ CN(0, v) and s uniform on an alphabet of known level and phase: D = sum_k p_k s_k with
p_k ~ exp(-|x - s_k|^2 / v). The phase comes from lines of powers of x; for 16-QAM from its corners, and then level and
phase from one step of expectation and maximisation: the tone in x D* turns and scales the alphabet. Each expert tells
its log evidence against s ~ CN(0, r^2), too: which of them is right where, if any, is for the network to learn.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from doamc.waveforms.digital import POINTS
from doamc.waveforms.draws import turn
from doamc.waveforms.lines import Line, find_line, power, unit

ORDERS = (2, 4, 8)  #: of the phase shift keyings
COUNT = len(ORDERS) + 1  #: of experts, but for that of 16-QAM
PENALTY = 6.0  #: nats that carrier, phase and level, which were fitted, take from the evidence of an expert
Opinion = tuple[torch.Tensor, torch.Tensor]  #: mean of s, and log evidence, (M, T) each


def lines_of(x: torch.Tensor) -> list[Line]:
    """Lines of the powers of `ORDERS`, for x (M, T)."""
    return [find_line(power(x, m)) for m in ORDERS]


def corners_of(x: torch.Tensor) -> Line:
    """Line of the fourth power where large samples count most: of the corners of a square."""
    return find_line(power(x, 4) * (x.real.square() + x.imag.square()).square())


def level_of(x: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    """Amplitude of the waveform (M, 1): its power is 1 to within 0.5 dB before x is seen, and after it."""
    prior, t = 0.115**2, x.shape[1]
    seen = (x.real.square() + x.imag.square()).mean(1, keepdim=True) - variance
    doubt = (2 * variance + variance.square()) / t
    return (1 + prior / (prior + doubt) * (seen - 1)).clamp_min(0.25).sqrt()


def opinions(
    x: torch.Tensor,  # shape: (M, T) complex
    level: torch.Tensor,  # shape: (M, 1), amplitude r of the waveform
    variance: torch.Tensor,  # shape: (M, 1), of the noise
    lines: list[Line],
    corners: Line | None = None,
) -> Iterator[Opinion]:
    """What each expert says: the phase shift keyings, constant modulus, and 16-QAM where its corners are given."""
    energy, r_2 = x.real.square() + x.imag.square(), level.square()
    gauss = -energy / (r_2 + variance) - torch.log1p(r_2 / variance)
    seen = _Seen(x, energy, variance, gauss)
    for m, line in zip(ORDERS, lines, strict=True):
        mean, _, evidence = seen.under(turn(torch.arange(m, device=x.device) / m), level, _root(line.phasor, m))
        yield mean, evidence
    z = 2 * level * energy.clamp_min(1e-12).sqrt() / variance
    flat = torch.special.i0e(z)
    yield level * unit(x) * (torch.special.i1e(z) / flat), flat.log() + z - (r_2 + energy) / variance - gauss
    if corners is not None:  # the fourth power of a square that stands on a side is negative
        yield _adapted(seen, POINTS["qam16"].to(x.device), level, _root(-corners.phasor, 4))


def agreed(means: torch.Tensor, evidence: torch.Tensor, wiener: torch.Tensor) -> torch.Tensor:
    """Mean over experts (M, K, T) and the Wiener filter (M, T), weighted by evidence over the window, (M, T)."""
    total = torch.nn.functional.pad(evidence.sum(2) - PENALTY, (1, 0))
    share = torch.softmax(total, 1)[..., None]
    return (share * torch.cat([wiener[:, None], means], 1)).sum(1)


def _root(phasor: torch.Tensor, m: int) -> torch.Tensor:
    """An m-th root; which one does not matter to an alphabet that looks the same from each."""
    angle = torch.angle(phasor) / m
    return torch.polar(torch.ones_like(angle), angle)


@dataclass
class _Seen:
    x: torch.Tensor
    energy: torch.Tensor
    variance: torch.Tensor
    gauss: torch.Tensor

    def under(
        self, points: torch.Tensor, level: torch.Tensor, phasor: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Mean of s, mean of |s|^2, log evidence, (M, T) each.

        points: (K,) of unit power; level: (M, 1); phasor: (M, T), of the alphabet at each sample.
        """
        u, p = self.x * phasor.conj(), level[..., None] * points
        size = p.real.square() + p.imag.square()
        inner = u.real[..., None] * p.real + u.imag[..., None] * p.imag
        logit = (2 * inner - size) / self.variance[..., None]
        share = torch.softmax(logit, 2)
        mean = torch.complex((share * p.real).sum(2), (share * p.imag).sum(2)) * phasor
        evidence = torch.logsumexp(logit, 2) - math.log(len(points)) - self.energy / self.variance - self.gauss
        return mean, (share * size).sum(2), evidence


def _adapted(seen: _Seen, points: torch.Tensor, level: torch.Tensor, phasor: torch.Tensor) -> Opinion:
    """Opinion for an alphabet after one step of expectation and maximisation for its level and phase."""
    mean, size, _ = seen.under(points, level, phasor)
    tone = find_line(seen.x * mean.conj()).wave
    gain = tone.abs().mean(1, keepdim=True) / size.mean(1, keepdim=True).clamp_min(1e-6)
    mean, _, evidence = seen.under(points, level * gain.clamp(0.9, 1.1), phasor * unit(tone))
    return mean, evidence
