"""Rows about emitters: where they are, how many, how strong, how they move, what they send."""

import math

import torch

from doamc.trials.mismatch.trial import Trial, coupled_steering, draw_trial, normal, turns, uniform


def outside(batches: int, generator: torch.Generator, at_deg: float, told: int | None = 1) -> Trial:
    """One emitter outside the sector of ula8, +-60 deg."""
    return draw_trial(batches, generator, azimuth_deg=torch.tensor([at_deg]), told=told)


def outside_beside_one(batches: int, generator: torch.Generator) -> Trial:
    """One emitter within the sector and one outside."""
    return draw_trial(batches, generator, azimuth_deg=torch.tensor([10.0, 75.0]))


def near_far(batches: int, generator: torch.Generator, range_db: float, told: int | None = 2) -> Trial:
    """An emitter at 10 dB beside one that is range_db stronger."""
    return draw_trial(
        batches, generator, snr_db=10 + range_db, power_db=[0.0, -range_db], separation_deg=15.0, told=told
    )


def close_pair(batches: int, generator: torch.Generator, apart_deg: float, told: int | None = 2) -> Trial:
    """Two equal emitters closer than the specification's least separation."""
    first = uniform((batches, 1), -50, 45, generator)
    return draw_trial(
        batches, generator, azimuth_deg=torch.cat([first, first + apart_deg], 1), power_db=[0.0, 0.0], told=told
    )


def correlated(batches: int, generator: torch.Generator, rho: float, told: int | None = 2) -> Trial:
    """Two emitters whose waveforms are correlated; 1: paths of one."""
    s = normal((batches, 2, 200), generator)
    second = rho * s[:, :1] * turns((batches, 1, 1), generator) + math.sqrt(1 - rho**2) * s[:, 1:]
    return draw_trial(batches, generator, waveforms=torch.cat([s[:, :1], second], 1), told=told)


def wrong_number(batches: int, generator: torch.Generator, true: int, told: int) -> Trial:
    """As many emitters as true, and another number told."""
    return draw_trial(batches, generator, sources=true, told=told)


def one_more_weak(batches: int, generator: torch.Generator, below_db: float) -> Trial:
    """Two emitters told, and a third, weaker one; the truth is of the two."""
    trial = draw_trial(batches, generator, power_db=[0.0, 0.0])
    third = draw_trial(batches, generator, sources=1, power_db=[-below_db], snr_db=10.0)
    own = trial.scene.coupling @ torch.linalg.solve(third.scene.coupling, third.clean)  # of the same array
    return trial.heard_as(trial.snapshots + own)


def moving(batches: int, generator: torch.Generator, by_deg: float) -> Trial:
    """Emitters that move during a batch; the truth is where they are in its middle."""
    trial = draw_trial(batches, generator)
    s = trial.scene.power.sqrt()[..., None] * trial.waveforms
    way = torch.linspace(-0.5, 0.5, s.shape[2], dtype=torch.float64) * math.radians(by_deg)
    azimuth = (trial.scene.azimuth[..., None] + way).flatten(1)  # (B, P L)
    v = coupled_steering(trial, trial.spec.positions, azimuth).unflatten(2, s.shape[1:])
    return trial.heard_as((v * s[:, None]).sum(2) + trial.noise)


def near_field(batches: int, generator: torch.Generator, wavelengths: float) -> Trial:
    """One emitter a few wavelengths from the middle of the array."""
    trial = draw_trial(batches, generator, sources=1)
    p = trial.spec.positions[:, :2]
    azimuth = trial.scene.azimuth
    place = wavelengths * torch.stack([azimuth.cos(), azimuth.sin()], -1)  # (B, 1, 2)
    apart = (place - (p - p.mean(0))).norm(dim=-1)  # (B, N)
    phase = -2 * math.pi * (apart - wavelengths)
    return trial.received_by(trial.scene.coupling @ torch.polar(torch.ones_like(phase), phase)[..., None])


def elevated(batches: int, generator: torch.Generator, array: str, elevation_deg: float) -> Trial:
    """Emitters above the horizon, which the array does not expect."""
    trial = draw_trial(batches, generator, array, separation_deg=20.0)
    elevation = torch.full_like(trial.scene.azimuth, math.radians(elevation_deg))
    return trial.received_by(coupled_steering(trial, trial.spec.positions, trial.scene.azimuth, elevation))


def wideband(batches: int, generator: torch.Generator, share: float) -> Trial:
    """Signals whose frequency moves over a share of the carrier within a batch."""
    trial = draw_trial(batches, generator)
    s = trial.scene.power.sqrt()[..., None] * trial.waveforms
    parts = []
    for part, scale in zip(s.split(8, 2), torch.linspace(1 - share / 2, 1 + share / 2, 25).tolist(), strict=True):
        parts.append(coupled_steering(trial, scale * trial.spec.positions, trial.scene.azimuth) @ part)
    return trial.heard_as(torch.cat(parts, 2) + trial.noise)


def tones(batches: int, generator: torch.Generator, same: bool) -> Trial:
    """Two unmodulated carriers, of one frequency or of two."""
    frequency = uniform((batches, 1 if same else 2, 1), -0.5, 0.5, generator)
    phase = 2 * math.pi * frequency * torch.arange(200, dtype=torch.float64)
    return draw_trial(
        batches, generator, waveforms=torch.polar(torch.ones_like(phase), phase) * turns((batches, 2, 1), generator)
    )


def burst(batches: int, generator: torch.Generator, share: float) -> Trial:
    """Emitters that are on for a share of the batch, with their mean power kept."""
    on = torch.arange(200) < share * 200
    return draw_trial(batches, generator, waveforms=normal((batches, 2, 200), generator) * on / math.sqrt(share))


def oversampled(batches: int, generator: torch.Generator, factor: int, noise_too: bool, snr_db: float = 10.0) -> Trial:
    """Signals that fill a part of the band, in white noise or in noise that was filtered as they were."""
    trial = draw_trial(batches, generator, snapshots=1000, snr_db=snr_db)

    def filtered(x: torch.Tensor) -> torch.Tensor:
        spectrum = torch.fft.fft(x)
        keep = torch.fft.fftfreq(x.shape[-1]).abs() <= 0.5 / factor
        return torch.fft.ifft(spectrum * keep) * math.sqrt(factor)

    clean = filtered(trial.clean)
    return trial.heard_as(clean + (filtered(trial.noise) if noise_too else trial.noise))
