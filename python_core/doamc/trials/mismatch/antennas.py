"""Rows about the array: rough channels, elements out of place, another coupling than the family's."""

import math
from dataclasses import replace

import torch

from doamc.spec import load_spec
from doamc.trials.mismatch.trial import Trial, coupled_steering, draw_trial, normal


def rough(batches: int, generator: torch.Generator, gain_db: float, phase_deg: float, array: str = "ula8") -> Trial:
    """Gains and phases of all channels off, r.m.s."""
    trial = draw_trial(batches, generator, array)
    shape = (batches, trial.spec.n_elements, 1)
    error = torch.randn(*shape, 2, dtype=torch.float64, generator=generator)
    size = 10 ** (gain_db * error[..., 0] / 20)
    return trial.heard_as(torch.polar(size, math.radians(phase_deg) * error[..., 1]) * trial.snapshots)


def displaced(batches: int, generator: torch.Generator, wavelengths: float) -> Trial:
    """Elements out of place by so much r.m.s. in x and y, alike in all batches."""
    trial = draw_trial(batches, generator)
    wrong = torch.randn(trial.spec.n_elements, 2, dtype=torch.float64, generator=generator)
    positions = trial.spec.positions + torch.nn.functional.pad(wavelengths * wrong, (0, 1))
    return trial.received_by(coupled_steering(trial, positions, trial.scene.azimuth))


def stretched(batches: int, generator: torch.Generator, factor: float, array: str = "ula8") -> Trial:
    """All distances by a factor of what the specification says."""
    trial = draw_trial(batches, generator, array)
    return trial.received_by(coupled_steering(trial, factor * trial.spec.positions, trial.scene.azimuth))


def outside_family(batches: int, generator: torch.Generator, below_db: float) -> Trial:
    """A coupling that has a random complex-symmetric part besides, so much weaker than itself."""
    trial = draw_trial(batches, generator)
    n, c = trial.spec.n_elements, trial.scene.coupling
    e = normal((batches, n, n), generator)
    e = e + e.mT
    size = 10 ** (-below_db / 20) * c.flatten(1).norm(dim=1) / e.flatten(1).norm(dim=1)
    v = trial.scene.response
    return trial.received_by(v + size[:, None, None] * e @ torch.linalg.solve(c, v))


def of_another_array(batches: int, generator: torch.Generator, true: str, believed: str) -> Trial:
    """The antennas of one specification, estimated by another of the same geometry."""
    trial = draw_trial(batches, generator, true)
    return replace(trial, scene=replace(trial.scene, spec=load_spec(believed)))


def uncoupled(batches: int, generator: torch.Generator) -> Trial:
    """No coupling at all, where the prior has a least size of it."""
    trial = draw_trial(batches, generator)
    eye = torch.eye(trial.spec.n_elements, dtype=torch.complex128)
    return trial.received_by(eye @ torch.linalg.solve(trial.scene.coupling, trial.scene.response))


def stronger(batches: int, generator: torch.Generator, factor: float) -> Trial:
    """Coefficients of the coupling `factor` times as large as those of the prior."""
    trial = draw_trial(batches, generator)
    eye = torch.eye(trial.spec.n_elements, dtype=torch.complex128)
    coupling = eye + factor * (trial.scene.coupling - eye)
    return trial.received_by(coupling @ torch.linalg.solve(trial.scene.coupling, trial.scene.response))


def mast(batches: int, generator: torch.Generator, at_wavelengths: float, strength: float) -> Trial:
    """A reflector beside the array: every element also hears what it scatters."""
    trial = draw_trial(batches, generator)
    place = torch.tensor([-at_wavelengths, at_wavelengths, 0.0], dtype=torch.float64)
    apart = (trial.spec.positions - place).norm(dim=1)
    phase = -2 * math.pi * apart
    scattered = torch.polar(strength / apart.sqrt(), phase)[None, :, None]
    azimuth = trial.scene.azimuth
    arriving = 2 * math.pi * (place[0] * azimuth.cos() + place[1] * azimuth.sin())
    wave = torch.polar(torch.ones_like(arriving), arriving)[:, None]
    return trial.received_by(trial.scene.response + trial.scene.coupling @ (scattered * wave))
