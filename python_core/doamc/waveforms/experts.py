"""Posterior means in closed form, sample by sample, for those alphabets that have one.

x = s + n, n ~ CN(0, v) and s uniform on an alphabet whose phase is known: D = sum_k p_k s_k with
p_k ~ exp(-|x - s_k|^2 / v). Each expert tells its log evidence against s ~ CN(0, r^2), too: which of them is right
where, if any, is for the network to learn.
"""

import math
from collections.abc import Iterator

import torch

from doamc.waveforms.digital import POINTS
from doamc.waveforms.draws import turn
from doamc.waveforms.lines import Line, find_line, power, unit

ORDERS = (2, 4, 8)  #: of the phase shift keyings
COUNT = len(ORDERS) + 2  #: of all experts


def lines_of(x: torch.Tensor) -> list[Line]:
    """Lines of the powers of `ORDERS`, for x (M, T)."""
    return [find_line(power(x, m)) for m in ORDERS]


def opinions(
    x: torch.Tensor,  # shape: (M, T) complex
    level: torch.Tensor,  # shape: (M, 1), amplitude r of the waveform
    variance: torch.Tensor,  # shape: (M, 1), of the noise
    lines: list[Line],
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(mean of s, log evidence) of each expert, (M, T) each: the phase shift keyings, 16-QAM, constant modulus."""
    energy, r_2 = x.real.square() + x.imag.square(), level.square()
    gauss = -energy / (r_2 + variance) - torch.log1p(r_2 / variance)
    for m, line in zip(ORDERS, lines, strict=True):
        yield _alphabet(x, level * turn(torch.arange(m) / m), _root(line.phasor, m), variance, energy, gauss)
    square = _root(-lines[1].phasor, 4)  # the fourth power of a square that stands on a side is negative
    yield _alphabet(x, level * POINTS["qam16"], square, variance, energy, gauss)
    z = 2 * level * energy.clamp_min(1e-12).sqrt() / variance
    mean = level * unit(x) * (torch.special.i1e(z) / torch.special.i0e(z))
    yield mean, torch.log(torch.special.i0e(z)) + z - (r_2 + energy) / variance - gauss


def _root(phasor: torch.Tensor, m: int) -> torch.Tensor:
    """An m-th root; which one does not matter to an alphabet that looks the same from each."""
    angle = torch.angle(phasor) / m
    return torch.polar(torch.ones_like(angle), angle)


def _alphabet(
    x: torch.Tensor,
    points: torch.Tensor,  # shape: (M, K)
    phasor: torch.Tensor,  # shape: (M, T)
    variance: torch.Tensor,
    energy: torch.Tensor,
    gauss: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    u, p = x * phasor.conj(), points[:, None]
    inner = u.real[..., None] * p.real + u.imag[..., None] * p.imag
    logit = (2 * inner - p.real.square() - p.imag.square()) / variance[..., None]
    share = torch.softmax(logit, 2)
    mean = torch.complex((share * p.real).sum(2), (share * p.imag).sum(2)) * phasor
    return mean, torch.logsumexp(logit, 2) - math.log(points.shape[1]) - energy / variance - gauss


def level_of(x: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    """Amplitude of the waveform (M, 1): its power is 1 to within 0.5 dB before x is seen, and after it."""
    prior, t = 0.115**2, x.shape[1]
    seen = (x.real.square() + x.imag.square()).mean(1, keepdim=True) - variance
    doubt = (2 * variance + variance.square()) / t
    return (1 + prior / (prior + doubt) * (seen - 1)).clamp_min(0.25).sqrt()
