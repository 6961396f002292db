"""Intervals of images: what 90 % intervals of `posterior` hold after 10, 50 and 200 steps, over coverages and noise.

    .venv/bin/python benchmarks/sky_intervals.py [--quick] [--count N] [--seed N] [--sigmas S ...]

Skies of the prior's own generator (none that it has learned), and as many of the families of `yardsticks.families`, the
same of each, 64 x 64, peak 1, seen by `yardsticks.telescopes`; sigma per complex visibility. hold_90: share of pixels
within 1.645 deviations of the truth; hold_90_above_noise: of those where the sky is brighter than sigma. A chain tells
after 10 and 50 of its 200 steps what runs of so many tell. One thread.
"""

from typing import Any

import numpy as np
import torch
from command import make_parser, write_result
from numpy.typing import NDArray
from yardsticks.families import FAMILIES, draw_family
from yardsticks.telescopes import coverages

from doamc.imaging.visibilities import make_visibilities
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.deviations import NINE_TENTHS, Deviations
from doamc.skies.generator import draw_skies
from doamc.skies.posterior import SWEEP, gathered
from doamc.skies.problem import Run

SIDE, COUNT, SIGMAS, STEPS = 64, 8, (0.005, 0.03), (10, 50, 200)

#: of pixels of a sky: which are within the interval, which are above the noise
Held = tuple[NDArray[np.bool_], NDArray[np.bool_]]


def draw(side: int, count: int, seed: int) -> tuple[list[str], NDArray[np.float64]]:
    """Families of skies, and the skies (2 N, n, n): of the own generator, then others in turn."""
    own = draw_skies(count, side, torch.Generator().manual_seed(seed), broad=0.0).double().numpy()
    rng, families = np.random.default_rng(seed), [list(FAMILIES)[k % len(FAMILIES)] for k in range(count)]
    strange = [draw_family(family, side, 1, rng) for family in families]
    return ["own"] * count + families, np.concatenate([own, *strange])


def observed(
    skies: NDArray, mask: NDArray, sigma: float, seed: int, steps: tuple[int, ...], prior: SkyDenoiser
) -> dict[int, list[Held]]:
    """What is held of every sky after each number of steps."""
    noise = sigma * np.random.default_rng(seed).standard_normal(skies.shape)
    seen = make_visibilities(np.where(mask, np.fft.fft2(skies + noise, norm="ortho"), 0), mask, sigma)
    found, deviations = dict[int, list[Held]](), Deviations.open()
    with torch.inference_mode():
        for evidence in gathered(seen, Run(max(steps), seed=seed), prior, at=[k // SWEEP for k in steps]):
            off = np.abs(evidence.image.numpy() - skies)
            inside = off < NINE_TENTHS * deviations.of(evidence).numpy()
            found[SWEEP * evidence.sweeps] = list(zip(inside, skies > sigma, strict=True))
    return found


def shares(held: list[Held]) -> dict[str, float]:
    """Shares of all pixels of some skies, and of those above the noise."""
    inside, above = (np.stack(part) for part in zip(*held, strict=True))
    return {"hold_90": round(float(inside.mean()), 3), "hold_90_above_noise": round(float(inside[above].mean()), 3)}


def main() -> None:
    """Draw, image, count, write."""
    parser = make_parser(__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="skies of the own generator, and of others")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sigmas", nargs="+", type=float, default=SIGMAS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    side, count, steps = (32, 2, (10, 20)) if args.quick else (SIDE, args.count, STEPS)
    names, skies = draw(side, count, args.seed)
    prior, cells, families = SkyDenoiser.open((side, side)), dict[str, Any](), dict[str, dict[int, list[Held]]]()
    for coverage, mask in coverages(side).items():
        cells[coverage] = {"measured": round(float(mask.mean()), 3)}
        for sigma in args.sigmas[:1] if args.quick else args.sigmas:
            found = observed(skies, mask, sigma, args.seed, steps, prior)
            cells[coverage][f"sigma {sigma:g}"] = {
                f"{k} steps": {"own": shares(held[:count]), "strange": shares(held[count:])}
                for k, held in found.items()
            }
            print(coverage, sigma, cells[coverage][f"sigma {sigma:g}"], flush=True)
            for k, held in found.items():
                for name, one in zip(names, held, strict=True):
                    families.setdefault(name, {}).setdefault(k, []).append(one)
    by_family = {name: {f"{k} steps": shares(held) for k, held in of.items()} for name, of in families.items()}
    write_result(__file__, args, {"side": side, "count": count, "coverages": cells, "families": by_family})


if __name__ == "__main__":
    main()
