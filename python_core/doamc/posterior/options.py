"""Sizes of the sampler of method ``posterior``."""

import math
from dataclasses import dataclass, replace

PRIOR_DRAWS = 8192  #: scenes drawn from the prior where a posterior is broad or thin: some hundred of them then count
FEW_FACTOR = 4  #: times as many proposals and starts for fewer snapshots than elements
SPLITS = (2.5, 5.0, 9.0)  #: least separations, pairs that a dip of the null spectrum may be
BROAD_FACTOR = 4  #: times as many starts of the mode search for a broad posterior
#: times as many starts, survivors and steps of the mode search for coupling that depends on direction: with the usual
#: ones two scenes of 100 on a circle end in a wrong mode, and their time is a tenth of an estimate
SERIES_FACTOR = 2


@dataclass(frozen=True)
class Options:
    """Sizes of the sampler.

    prior_scenes: of the prior that are always tried. projections: starts of alternating projection, where sources may
    be coherent.
    prior_draws: scenes of the prior that are weighted by the likelihood (see `PriorDraws`); 0 for none.
    search_starts, search_steps, survivors: of `search_modes`. mode_draws: around the modes, for every chain that starts
    there. least_fit: effective share of these from which on chains start there and nowhere else. enough_fit: share from
    which on they are samples themselves, by their importance, and no chain runs; infinite where draws from the prior
    decide.
    chains, steps: of the Metropolis chains, of which the last keep steps are samples.
    proposal_scales: of the normal proposals, in Fisher widths over sqrt(d), taken in turn.
    difference_scales: of the differential-evolution moves, which replace every third proposal, taken in turn.
    broad_deg: a posterior wider than this in an azimuth is broad, and sampled anew with the sizes of `broad`.
    long_steps: of the chains that go on from there, where it still is so wide.
    splits: of rank reduction's dips into pairs, in least separations.
    """

    prior_scenes: int = 192
    projections: int = 48
    chains: int = 96
    mode_draws: int = 16
    search_starts: int = 8
    search_steps: int = 9
    survivors: int = 6
    steps: int = 60
    keep: int = 24
    seed: int = 0
    proposal_scales: tuple[float, ...] = (2.0, 1.2)
    difference_scales: tuple[float, ...] = (1.0, 0.5)
    prior_draws: int = 0
    least_fit: float = 0.1
    enough_fit: float = 0.5
    broad_deg: float = 1.2
    long_steps: int = 144
    splits: tuple[float, ...] = ()


def few_snapshots(options: Options) -> Options:
    """Sizes for fewer snapshots than elements, where the likelihood is a thin curved sheet with many modes."""
    return replace(
        options,
        projections=FEW_FACTOR * options.projections,
        search_starts=FEW_FACTOR * options.search_starts,
        survivors=FEW_FACTOR * options.survivors,
        steps=2 * options.steps,
        keep=2 * options.keep,
        prior_draws=PRIOR_DRAWS,
        enough_fit=math.inf,
    )


def by_direction(options: Options) -> Options:
    """Sizes for coupling that depends on direction: a search in three times as many dimensions goes farther."""
    o = options
    return replace(
        o,
        search_starts=SERIES_FACTOR * o.search_starts,
        survivors=SERIES_FACTOR * o.survivors,
        search_steps=SERIES_FACTOR * o.search_steps,
    )


def wide_prior(options: Options) -> Options:
    """Sizes for the wide prior, with emitters far closer than a beamwidth: posteriors that are long, thin and bent.

    Of pairs 2 degrees apart intervals of 90 % hold 0.83 with these sizes, 0.79 with those of the narrow prior, and 0.85
    with chains four times as long.
    """
    o = options
    return replace(broad(o), splits=SPLITS, search_steps=BROAD_FACTOR * o.search_steps, steps=BROAD_FACTOR * o.steps)


def broad(options: Options) -> Options:
    """Sizes for a broad posterior, where chains have far to go and a search from few starts misses minor modes."""
    o = options
    return replace(
        o,
        steps=2 * o.steps,
        keep=2 * o.keep,
        long_steps=2 * o.long_steps,
        prior_draws=PRIOR_DRAWS,
        search_starts=BROAD_FACTOR * o.search_starts,
        survivors=BROAD_FACTOR * o.survivors,
        enough_fit=math.inf,
    )
