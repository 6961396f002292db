"""Sizes of the sampler of method ``posterior``."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Options:
    """Sizes of the sampler.

    samples, ddim_steps: of the network. draws: around the modes, for every chain that starts there.
    climbers, climb_steps, survivors: of `search_modes`. chains, steps: of the walk,
    of which the last keep steps are samples. reach: proposal widths, in Fisher widths over sqrt(d), taken in turn.
    bank: scenes of the prior (see `Bank`), of which the best survivors * 4 join the network's samples; 0 for none.
    fit: effective share of the draws around the modes from which on chains start there and nowhere else.
    hard_deg: a posterior wider than this in an azimuth is sampled anew with the sizes of `wide`.
    long_steps: of the walk that goes on from there, where it still is so wide.
    leap: factors on the difference of two chains' starts, which replaces every third proposal, taken in turn.
    """

    samples: int = 48
    ddim_steps: int = 6
    chains: int = 96
    draws: int = 16
    climbers: int = 8
    climb_steps: int = 9
    survivors: int = 6
    steps: int = 60
    keep: int = 24
    seed: int = 0
    reach: tuple[float, ...] = (2.0, 1.2)
    leap: tuple[float, ...] = (1.0, 0.5)
    bank: int = 0
    fit: float = 0.1
    hard_deg: float = 1.2
    long_steps: int = 144


def thorough(options: Options) -> Options:
    """Sizes for fewer snapshots than elements, where the likelihood is a thin curved sheet with many modes."""
    return replace(
        options,
        samples=4 * options.samples,
        climbers=4 * options.climbers,
        survivors=4 * options.survivors,
        steps=2 * options.steps,
        keep=2 * options.keep,
        bank=8192,
    )


def wide(options: Options) -> Options:
    """Sizes for a broad posterior, where chains have far to go and the network alone may miss a mode."""
    o = options
    return replace(o, steps=2 * o.steps, keep=2 * o.keep, long_steps=2 * o.long_steps, bank=8192)
