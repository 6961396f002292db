"""Many draws on several processes; the result depends on the seed alone."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from doamc.antenna.draws import Drawn, solve_draw
from doamc.antenna.nec import load_pynec
from doamc.antenna.site import Site


def draw_many(site: Site, count: int, seed: int = 0, jobs: int = 1) -> Iterator[list[Drawn]]:
    """Drawn arrays in order, each at every frequency of [antenna]; jobs: processes.

    Raises SpecificationError where NEC2 cannot take the wires.
    """
    load_pynec()
    one = partial(solve_draw, site.antenna, site.positions, site.sector_deg)
    seeds = [(seed, i) for i in range(count)]
    if jobs == 1:
        yield from map(one, seeds)
        return
    # spawned, because a fork of a process with running threads may hang
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(one, seeds, chunksize=max(1, min(16, count // (4 * jobs))))
