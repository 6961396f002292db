"""Time of a step of `doamc image`, beside the network alone, one sky at a time.

    .venv/bin/python benchmarks/sky_speed.py [--threads N] [--quick]

Sky of the prior's own generator, the long VLA track of `yardsticks.telescopes` (scaled to the size of the image), sigma
0.005. Runs and calls of the network take turns, and both are medians. a step: a whole run over its steps. later: what a
step more costs, by the difference of two runs, without what a run does once. network: a call alone, at sigma 0.05.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from command import make_parser, write_result
from yardsticks.telescopes import coverages

from doamc.imaging.visibilities import GridVisibilities, make_visibilities
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.generator import draw_skies
from doamc.skies.problem import Run
from doamc.skies.restoration import restore

#: pixels a side -> numbers of steps, and how often each is run
RUNS = {64: ((10, 100, 200, 400, 1000), 3), 150: ((20, 60), 2), 256: ((20, 60), 2)}
CALLS = 10  #: of the network, in each turn


def observed(side: int) -> GridVisibilities:
    """One sky through a coverage."""
    mask, rng = coverages(side)["vla"], np.random.default_rng(2)
    sky = draw_skies(1, side, torch.Generator().manual_seed(3), broad=0.0).double().numpy()
    noise = 0.005 * rng.standard_normal(sky.shape)
    return make_visibilities(np.where(mask, np.fft.fft2(sky + noise, norm="ortho"), 0), mask, 0.005)


def timed_ms(run: Callable[[], object]) -> float:
    """Of one call, by the clock."""
    begin = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - begin)


def measure(side: int, steps: tuple[int, ...], repeats: int) -> dict[str, Any]:
    """Times of one size of images."""
    seen, denoiser = observed(side), SkyDenoiser.open((side, side))
    x = torch.zeros(1, side * side)

    @torch.inference_mode()
    def network() -> None:
        denoiser.posterior(x, 1.0, 0.05)

    network()
    alone, runs = list[float](), dict[int, list[float]]({k: [] for k in steps})
    for _ in range(repeats):
        for k in steps:
            alone += [timed_ms(network) for _ in range(CALLS)]
            runs[k].append(timed_ms(partial(restore, seen, Run(k))))
    call = float(np.median(alone))
    whole = {k: float(np.median(v)) for k, v in runs.items()}
    row: dict[str, Any] = {"network_ms": round(call, 2), "runs": {}}
    for k, before in zip(steps, (None, *steps), strict=False):
        row["runs"][str(k)] = found = {
            "a_step_ms": round(whole[k] / k, 2),
            "over_network": round(whole[k] / k / call, 2),
        }
        if before is not None:
            later = (whole[k] - whole[before]) / (k - before)
            found |= {"later_ms": round(later, 2), "later_over_network": round(later / call, 2)}
    return row


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--threads", type=int, default=1, help="of torch (%(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    table = {}
    for side, (steps, repeats) in ({64: ((2, 4), 1)} if args.quick else RUNS).items():
        table[str(side)] = measure(side, steps, repeats)
        print(side, table[str(side)], flush=True)
    write_result(__file__, args, {"threads": args.threads, "sides": table})


if __name__ == "__main__":
    main()
