"""Rows about noise: alone, impulsive, correlated over channels, unequal."""

import math
from dataclasses import replace

import torch

from doamc.trials.mismatch.trial import Trial, draw_trial, normal, turns, uniform


def noise_alone(
    batches: int, generator: torch.Generator, array: str, snapshots: int, amplitude: float, told: int | None = None
) -> Trial:
    """Nothing but noise, of an amplitude."""
    trial = draw_trial(batches, generator, array, 0, 0.0, snapshots, told=told)
    return trial.heard_as(amplitude * trial.noise)


def one_emitter(batches: int, generator: torch.Generator, array: str, snr_db: float) -> Trial:
    """One emitter, whose number the method counts."""
    return draw_trial(batches, generator, array, 1, snr_db, told=None)


def wild_sample(batches: int, generator: torch.Generator, above_db: float, channels: slice | None = None) -> Trial:
    """One sample far too large, in channel 3 or in all."""
    trial = draw_trial(batches, generator)
    y = trial.snapshots
    wild = 10 ** (above_db / 20) * turns((batches, y.shape[1]), generator)
    chosen = slice(3, 4) if channels is None else channels
    y[:, chosen, 50] += wild[:, chosen]
    return trial.heard_as(y)


def stable(batches: int, generator: torch.Generator, alpha: float) -> Trial:
    """Alpha-stable noise, isotropic: normal, times the root of a positive stable number of index alpha / 2.

    By the formula of Kanter (1975) for positive stable numbers.
    """
    trial = draw_trial(batches, generator)
    half = alpha / 2
    u = uniform(tuple(trial.noise.shape), 0, math.pi, generator)
    w = -uniform(tuple(trial.noise.shape), 1e-12, 1, generator).log()
    root = (half * u).sin() / u.sin() ** (1 / half) * (((1 - half) * u).sin() / w) ** ((1 - half) / half)
    return replace(trial, noise=trial.noise * root.sqrt())


def coloured(batches: int, generator: torch.Generator, sources: int, snr_db: float, told: int | None = -1) -> Trial:
    """Noise with covariance 0.6^|i - j| between channels."""
    trial = draw_trial(batches, generator, sources=sources, snr_db=snr_db, told=told)
    place = torch.arange(trial.spec.n_elements)
    root = torch.linalg.cholesky(0.6 ** (place[:, None] - place).abs().double()).to(torch.complex128)
    return replace(trial, noise=root @ trial.noise)


def unequal(batches: int, generator: torch.Generator, spread_db: float, sources: int = 2) -> Trial:
    """Noise powers that differ between channels by up to spread_db either way."""
    trial = draw_trial(batches, generator, sources=sources)
    gain = 10 ** (uniform((batches, trial.spec.n_elements, 1), -spread_db, spread_db, generator) / 20)
    return replace(trial, noise=gain * trial.noise)


def one_noisy(batches: int, generator: torch.Generator, above_db: float) -> Trial:
    """Channel 3 has more noise than the others."""
    trial = draw_trial(batches, generator)
    noise = trial.noise.clone()
    noise[:, 3] *= 10 ** (above_db / 20)
    return replace(trial, noise=noise)


def common_mode(batches: int, generator: torch.Generator, below_db: float) -> Trial:
    """One interference that couples into all cables alike."""
    trial = draw_trial(batches, generator)
    hum = 10 ** (-below_db / 20) * normal((batches, 1, trial.noise.shape[2]), generator)
    return trial.heard_as(trial.snapshots + hum)
