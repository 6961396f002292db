"""How far responses of an array are from its model: a power, relative to that of a response, learnt from signals.

The response of each signal differs from the best that one coupling can say by noise, of power 1 / (L snr), and by what
the model does not know, of power e, in nu real dimensions that its own direction and power leave free, 2 (N - P) - 1 a
source. With so many snapshots counted that both together are noise, L(e) = 1 / (1 / L + e snr), the lack of fit kl of
every signal tells

    log p(e) = 1/2 sum_i [nu log L_i(e) - 2 L_i(e) kl_i] + log prior(e)

where what the noise alone lets the other entries of a covariance differ is taken from kl before.
"""

from dataclasses import dataclass

import torch

#: prior of e in decibels: what NEC2 and drawn families differ by, and how unsure that is
CENTRE_DB, SPREAD_DB = -34.0, 6.0
LEVELS_DB = (-62.0, -16.0, 0.5)  #: that are tried: least, most, step
MOST_KEPT = 64  #: signals whose lack of fit is remembered


@dataclass(frozen=True)
class Misfit:
    """Of a signal at the joint fit. snapshots: L. free: nu. lack: kl, nats a snapshot, of its response."""

    snapshots: float
    snr: float
    free: float
    lack: float


def counted(snapshots: float, snr: float, error: float) -> float:
    """Snapshots L(e) that count, where responses err by so much power."""
    return 1 / (1 / snapshots + error * snr)


def model_error(misfits: list[Misfit], coupled: float) -> float:
    """The likeliest power e. coupled: how many of the free dimensions the coupling has taken up."""
    low, high, step = LEVELS_DB
    levels = torch.arange(low, high + step, step, dtype=torch.float64)
    error = 10 ** (levels / 10)
    value = -0.5 * ((levels - CENTRE_DB) / SPREAD_DB).square()
    free = sum(m.free for m in misfits)
    left = max(0.0, 1 - coupled / free) if free else 0.0
    for m in misfits:
        length = 1 / (1 / m.snapshots + error * m.snr)
        value += 0.5 * left * m.free * length.log() - length * m.lack
    return float(error[int(value.argmax())])
