"""Rows about the receiver: one channel off, converters, cables."""

import math

import torch

from doamc.trials.mismatch.trial import Trial, draw_trial, normal, turns


def swapped(batches: int, generator: torch.Generator, array: str = "ula8") -> Trial:
    """Cables of channels 2 and 3 swapped."""
    trial = draw_trial(batches, generator, array, separation_deg=20.0 if array != "ula8" else 10.0)
    order = list(range(trial.spec.n_elements))
    order[2], order[3] = 3, 2
    return trial.heard_as(trial.snapshots[:, order])


def copied(batches: int, generator: torch.Generator) -> Trial:
    """Channel 3 carries what channel 2 does."""
    trial = draw_trial(batches, generator)
    y = trial.snapshots
    y[:, 3] = y[:, 2]
    return trial.heard_as(y)


def deaf(batches: int, generator: torch.Generator, array: str = "ula8") -> Trial:
    """Channel 3 has no antenna: noise alone."""
    trial = draw_trial(batches, generator, array)
    y = trial.snapshots
    y[:, 3] = trial.noise[:, 3]
    return trial.heard_as(y)


def off(batches: int, generator: torch.Generator, gain_db: float, phase_deg: float, array: str = "ula8") -> Trial:
    """Channel 3 has another gain and phase than it should."""
    trial = draw_trial(batches, generator, array)
    y = trial.snapshots
    y[:, 3] *= 10 ** (gain_db / 20) * complex(math.cos(math.radians(phase_deg)), math.sin(math.radians(phase_deg)))
    return trial.heard_as(y)


def drifting(batches: int, generator: torch.Generator, by_deg: float) -> Trial:
    """The phase of channel 3 turns during a batch."""
    trial = draw_trial(batches, generator)
    y = trial.snapshots
    phase = torch.linspace(-0.5, 0.5, y.shape[2], dtype=torch.float64) * math.radians(by_deg)
    y[:, 3] *= torch.polar(torch.ones_like(phase), phase)
    return trial.heard_as(y)


def late(batches: int, generator: torch.Generator, samples: int) -> Trial:
    """Channel 3 comes some samples late."""
    trial = draw_trial(batches, generator)
    y = trial.snapshots
    y[:, 3] = y[:, 3].roll(samples, 1)
    return trial.heard_as(y)


def offset(batches: int, generator: torch.Generator, amplitude: float, sources: int = 2, snr_db: float = 10.0) -> Trial:
    """Converters with an offset: a constant of any phase in each channel."""
    trial = draw_trial(batches, generator, sources=sources, snr_db=snr_db)
    return trial.heard_as(trial.snapshots + amplitude * turns((batches, trial.spec.n_elements, 1), generator))


def clipped(batches: int, generator: torch.Generator, at: float) -> Trial:
    """Converters that are overdriven."""
    trial = draw_trial(batches, generator)
    return trial.heard_as(torch.view_as_complex(torch.view_as_real(trial.snapshots).clamp(-at, at)))


def coarse(batches: int, generator: torch.Generator, step: float) -> Trial:
    """Converters of few bits."""
    trial = draw_trial(batches, generator)
    return trial.heard_as(torch.view_as_complex((torch.view_as_real(trial.snapshots) / step).round() * step))


def image(batches: int, generator: torch.Generator, below_db: float) -> Trial:
    """The mirror image of unbalanced I and Q, of another size and phase in every channel."""
    trial = draw_trial(batches, generator)
    y = trial.snapshots
    leak = 10 ** (-below_db / 20) * normal((batches, y.shape[1], 1), generator)
    return trial.heard_as(y + leak * y.conj())
