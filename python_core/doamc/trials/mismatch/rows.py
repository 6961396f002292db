"""The rows by name: worlds that are not the model, and the model itself beside them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from doamc.trials.mismatch import antennas, channels, emitters, noises
from doamc.trials.mismatch.trial import Trial, draw_trial


@dataclass(frozen=True)
class Row:
    """One row.

    make: (batches, generator) -> Trial. on_model: whether the model describes it. cause: what is wrong, in the words
    of `fit.cause`, where it can be told apart. hidden: what no fit can see. longest: number of snapshots.
    """

    name: str
    make: Callable[[int, torch.Generator], Trial]
    on_model: bool = False
    cause: str | None = None
    hidden: bool = False
    longest: int = 200

    @property
    def part(self) -> int:
        """Batches that are drawn at once: as many as memory should hold."""
        return max(1, 400_000 // self.longest)


MODEL_ARRAYS = {"ula8": 2, "uca5": 2, "kraken5": 2, "dipole8": 2}
MODEL_SNAPSHOTS = (20, 200, 2000, 100_000)
MODEL_SNR_DB = (-10, 0, 10, 25, 40)


def _on_model() -> Iterator[Row]:
    for array, sources in MODEL_ARRAYS.items():
        for length in MODEL_SNAPSHOTS:
            for snr in MODEL_SNR_DB:
                make = partial(draw_trial, array=array, sources=sources, snapshots=length, snr_db=float(snr))
                yield Row(f"model-{array}-{length}-{snr}dB", make, on_model=True, longest=length)
    yield Row("model-one", partial(draw_trial, sources=1), on_model=True)
    yield Row("model-auto", partial(draw_trial, told=None), on_model=True)
    for factor in (4, 16):
        for noise_too in (False, True):
            make = partial(emitters.oversampled, factor=factor, noise_too=noise_too)
            name = f"model-oversampled-{factor}{'-noise-too' if noise_too else ''}"
            yield Row(name, make, on_model=True, longest=1000)
    yield Row("model-three", partial(draw_trial, sources=3), on_model=True)


def _noise() -> Iterator[Row]:
    for array, length, amplitude in (
        ("ula8", 200, 0.3), ("ula8", 20, 0.3), ("ula8", 1000, 0.01), ("uca5", 200, 0.03), ("uca5", 200, 1.0),
        ("uca5", 1000, 0.03), ("kraken5", 200, 0.3), ("dipole8", 200, 0.3), ("ula4", 200, 30.0),
    ):  # fmt: skip
        make = partial(noises.noise_alone, array=array, snapshots=length, amplitude=amplitude)
        yield Row(f"noise-alone-{array}-{length}-{amplitude:g}", make, on_model=True)
    yield Row("noise-alone-told-1", partial(noises.noise_alone, array="ula8", snapshots=200, amplitude=0.3, told=1))
    for array in ("ula8", "uca5"):
        yield Row(f"one-at-minus-10-dB-{array}", partial(noises.one_emitter, array=array, snr_db=-10.0), on_model=True)


def _others() -> Iterator[Row]:
    def row(
        name: str, make: Callable[..., Trial], *, cause: str | None = None, hidden: bool = False, **how: Any
    ) -> Row:
        return Row(name, partial(make, **how), cause=cause, hidden=hidden)

    sector, more, channel, impulses = "outside the sector", "one more source", "channel 3 off", "impulses"
    coherent, offset, noise = "coherent paths", "converter offset", "unequal noise"
    prior, coloured = "outside the prior", "coloured noise"
    # the table of what was tried on radios
    yield row("outside-75", emitters.outside, at_deg=75.0, cause=sector)
    yield row("outside-75-auto", emitters.outside, at_deg=75.0, told=None, cause=sector)
    yield row("outside-90", emitters.outside, at_deg=90.0, cause=sector)
    yield row("near-far-20", emitters.near_far, range_db=20.0, cause=prior)
    yield row("near-far-40", emitters.near_far, range_db=40.0, cause=prior)
    yield row("close-2", emitters.close_pair, apart_deg=2.0, cause=prior)
    yield row("close-4", emitters.close_pair, apart_deg=4.0, cause=prior)
    yield row("wild-sample-60", noises.wild_sample, above_db=60.0)
    yield row("stable-1.5", noises.stable, alpha=1.5)  # without its impulses, noise that differs by channel
    yield row("offset-strong", channels.offset, amplitude=1.0, cause=offset)
    yield row("offset-beside-weak", channels.offset, amplitude=1.0, sources=1, snr_db=0.0, cause=offset)
    yield row("swapped", channels.swapped, cause="channels 2 and 3 swapped")
    yield row("copied", channels.copied, cause=channel)
    yield row("deaf", channels.deaf, cause=channel)
    yield row("phase-60", channels.off, gain_db=0.0, phase_deg=60.0, cause=channel)
    yield row("gain-6", channels.off, gain_db=-6.0, phase_deg=0.0, cause=channel)
    yield row("rough-1dB-10deg", antennas.rough, gain_db=1.0, phase_deg=10.0)
    yield row("displaced-0.02", antennas.displaced, wavelengths=0.02)
    yield row("outside-family-15", antennas.outside_family, below_db=15.0)
    yield row("coloured-alone-auto", noises.coloured, sources=0, snr_db=10.0, told=None)
    yield row("coloured-0dB", noises.coloured, sources=2, snr_db=0.0, cause=coloured)
    yield row("coherent", emitters.correlated, rho=1.0, cause=coherent)
    yield row("correlated-0.9", emitters.correlated, rho=0.9, cause=coherent)
    yield row("one-told-2", emitters.wrong_number, true=1, told=2)
    yield row("two-told-1", emitters.wrong_number, true=2, told=1, cause=more)
    yield row("two-told-3", emitters.wrong_number, true=2, told=3)
    yield row("moving-10", emitters.moving, by_deg=10.0)
    yield row("near-field-8", emitters.near_field, wavelengths=8.0)
    yield row("spacing-0.45", antennas.stretched, factor=0.9, hidden=True)
    # kinds besides
    yield row("outside-beside-one", emitters.outside_beside_one, cause=sector)
    yield row("near-far-20-auto", emitters.near_far, range_db=20.0, told=None)
    yield row("near-far-40-auto", emitters.near_far, range_db=40.0, told=None)
    yield row("close-4-auto", emitters.close_pair, apart_deg=4.0, told=None)
    yield row("three-told-2", emitters.wrong_number, true=3, told=2, cause=more)
    yield row("third-10-below", emitters.one_more_weak, below_db=10.0, cause=more)
    yield row("coherent-auto", emitters.correlated, rho=1.0, told=None, cause=coherent)
    yield row("tones-one-frequency", emitters.tones, same=True)
    yield row("tones", emitters.tones, same=False)
    yield row("burst-2-percent", emitters.burst, share=0.02)
    yield row("elevated-30-uca5", emitters.elevated, array="uca5", elevation_deg=30.0)
    yield row("wideband-20-percent", emitters.wideband, share=0.2)
    yield row("wild-sample-20", noises.wild_sample, above_db=20.0)
    yield row("wild-snapshot-60", noises.wild_sample, above_db=60.0, channels=slice(None), cause=impulses)
    yield row("stable-1.8", noises.stable, alpha=1.8)
    yield row("unequal-3", noises.unequal, spread_db=3.0, cause=noise)
    yield row("noisy-channel-6", noises.one_noisy, above_db=6.0, cause=noise)
    yield row("common-mode", noises.common_mode, below_db=6.0, cause="common mode")
    yield row("offset-weak", channels.offset, amplitude=0.1)
    yield row("swapped-uca5", channels.swapped, array="uca5")
    yield row("deaf-kraken5", channels.deaf, array="kraken5")
    yield row("phase-60-kraken5", channels.off, array="kraken5", gain_db=0.0, phase_deg=60.0)
    yield row("phase-30-dipole8", channels.off, array="dipole8", gain_db=0.0, phase_deg=30.0)
    yield row("drifting-90", channels.drifting, by_deg=90.0, cause=noise)
    yield row("late-1", channels.late, samples=1, cause=channel)
    yield row("clipped-1", channels.clipped, at=1.0)
    yield row("coarse-0.5", channels.coarse, step=0.5)
    yield row("image-15", channels.image, below_db=15.0)
    yield row("rough-kraken5", antennas.rough, gain_db=1.0, phase_deg=10.0, array="kraken5")
    yield row("wrong-frequency-uca5", antennas.stretched, factor=1.1, array="uca5", hidden=True)
    yield row("dipole8-as-ula8", antennas.of_another_array, true="dipole8", believed="ula8")
    yield row("ula8-as-dipole8", antennas.of_another_array, true="ula8", believed="dipole8")
    yield row("uncoupled", antennas.uncoupled, cause=prior)
    yield row("coupling-1.5", antennas.stronger, factor=1.5, cause=prior)
    yield row("mast", antennas.mast, at_wavelengths=1.5, strength=0.3)


ROWS: dict[str, Row] = {r.name: r for rows in (_on_model(), _noise(), _others()) for r in rows}
