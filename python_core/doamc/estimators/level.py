"""The level of observations, normalised in one place for all methods: a receiver's scale is arbitrary.

Methods hold numbers that mean something near 0 dB (least noise powers, ridges, single precision in networks). A level
within 60 dB of it is left as it is, since for a prior over powers it says something; one beyond is brought to that
border by a power of two, which changes no digit of a sample, and taken back out of the estimates.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from doamc.errors import EstimatorError
from doamc.estimators.converter_offset import constant
from doamc.snapshots.batch import SnapshotBatch

if TYPE_CHECKING:
    from doamc.estimators.estimates import Estimates

BORDER = 20  #: mean powers from 2^-20 to 2^20, 60 dB either way, are ordinary


def level_gain(batch: SnapshotBatch) -> torch.Tensor | None:
    """Factors (B,) on the snapshots, powers of two; None where every level is ordinary."""
    least, most = batch.powers
    if least >= 2.0 ** (-BORDER - 1) and most < 2.0**BORDER:  # their means, too
        return None
    power = batch.covariance.cpu().numpy().diagonal(axis1=1, axis2=2).real.mean(1)
    if power.min() >= 2.0 ** (-BORDER - 1) and power.max() < 2.0**BORDER:
        return None
    _, exponent = np.frexp(power)
    beyond = exponent - exponent.clip(-BORDER, BORDER)
    gain = [math.ldexp(1.0, -round(b / 2)) for b in beyond.tolist()]
    return torch.tensor(gain, dtype=torch.float64, device=batch.covariance.device)


def at_ordinary_level(
    estimate: Callable[[SnapshotBatch], "Estimates"],
    batch: SnapshotBatch,
) -> "Estimates":
    """What `estimate` makes of a batch brought to an ordinary level, with powers and clean snapshots at its own.

    Raises EstimatorError where the algebra of the method fails on it: one sample or channel far above all others leaves
    a covariance that cannot be factorised.
    """
    gain = level_gain(batch)
    try:
        if gain is None:
            return estimate(batch)
        return _scaled(estimate(scaled_batch(batch, gain)), 1 / gain)
    except (np.linalg.LinAlgError, torch.linalg.LinAlgError) as error:
        why = "look for one sample or channel far above the others, and for channels that are all alike"
        if bool(constant(batch.snapshots).any()):
            why = "a batch is constant: the offset of the receiver's converters, or a carrier without any noise"
        raise EstimatorError(f"expected a covariance that can be factorised, found none; {why}") from error


def scaled_batch(
    batch: SnapshotBatch,
    gain: torch.Tensor,  # shape: (B,), on the snapshots
) -> SnapshotBatch:
    """Every observation times a factor."""
    power = gain.square()
    other = replace(
        batch,
        snapshots=gain[:, None, None] * batch.snapshots,
        covariance=power[:, None, None] * batch.covariance,
        noise_power=None if batch.noise_power is None else power * batch.noise_power,
    )
    if "look" in vars(batch):  # of which nothing else has a level
        vars(other)["look"] = batch.look._replace(lag=power.cpu().numpy()[:, None, None] * batch.look.lag)
    return other


def _scaled(estimates: "Estimates", gain: torch.Tensor) -> "Estimates":
    power = gain.square().to(estimates.power.device)
    return replace(
        with_scaled_signals(estimates, gain),
        power=power[:, None] * estimates.power,
        noise_power=power * estimates.noise_power,
    )


def with_scaled_signals(
    estimates: "Estimates",
    gain: torch.Tensor,  # shape: (B,), on the snapshots
) -> "Estimates":
    """Estimates with their denoised snapshots and waveforms, where they have any, times a factor."""
    names = ("clean", "waveforms", "waveform_std")
    held = {name: value for name in names if (value := getattr(estimates, name)) is not None}
    return replace(estimates, **{k: gain.to(v.device)[:, None, None] * v for k, v in held.items()})
