"""Images from visibilities: peak signal-to-noise ratio and time of every method, over coverages and noise.

    .venv/bin/python benchmarks/imaging.py [--quick] [--methods M ...] [--pictures FOLDER]

Skies of `yardsticks.skies` (64 x 64, peak 1, kinds that no prior here was made for) seen by `yardsticks.telescopes`,
sigma per complex visibility. PSNR = -10 log10 of the mean square error, mean over skies. CLEANs are restored with the
beam that fits their point spread function, as is usual; `multiscale model` is what was found before it is seen with it.
hold_90: share of pixels within 1.645 deviations of the truth, where the method tells one; hold_90_above_noise: of those
that are brighter than sigma. `posterior` and `ddrm` take the first `FEWER` of the skies. One thread.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from command import make_parser, write_result
from numpy.typing import NDArray
from yardsticks.skies import draw_skies
from yardsticks.telescopes import coverages

from doamc.cli.image import METHODS, make_image
from doamc.figures.images import draw_panels, size_of
from doamc.figures.style import draw_figure
from doamc.imaging.visibilities import GridVisibilities, make_visibilities

SIDE, SKIES, FEWER, SIGMAS = 64, 10, 5, (0.0005, 0.005, 0.03)
#: a sky of each of these kinds stands in the pictures, one a coverage
PICTURED = {"vla": 0, "snapshot": 3, "alma": 1, "eht": 0}
NAMES = {"dirty": "dirty", "clean": "CLEAN", "multiscale": "multi-scale", "iuwt": "IUWT", "ddrm": "DDRM",
         "posterior": "posterior"}  # fmt: skip


def observe(skies: NDArray, mask: NDArray, sigma: float, seed: int) -> GridVisibilities:
    """Visibilities with the noise of real white noise."""
    noise = sigma * np.random.default_rng(seed).standard_normal(skies.shape)
    values = np.where(mask, np.fft.fft2(skies + noise, norm="ortho"), 0)
    return make_visibilities(values, mask, sigma)


def psnr_db(images: NDArray, skies: NDArray) -> float:
    """Mean over skies."""
    return float(np.mean(-10 * np.log10(np.square(images - skies).mean((1, 2)))))


def measured(skies: NDArray, visibilities: GridVisibilities, methods: list[str]) -> dict[str, Any]:
    """Figures of every method."""
    found: dict[str, Any] = {}
    for method in methods:
        count = FEWER if method in ("posterior", "ddrm") else len(skies)
        truth, begin = skies[:count], time.process_time()
        sky = make_image(visibilities.part(0, count), method)
        row = {"psnr_db": psnr_db(sky.image, truth), "s_a_sky": (time.process_time() - begin) / len(truth)}
        if sky.std is not None:
            inside = np.abs(sky.image - truth) < 1.645 * sky.std
            row["hold_90"] = float(inside.mean())
            row["hold_90_above_noise"] = float(inside[truth > visibilities.sigma].mean())
        found[method] = {key: round(value, 4) for key, value in row.items()}
        if method == "multiscale" and sky.model is not None:
            found["multiscale model"] = {"psnr_db": round(psnr_db(sky.model, skies), 4)}
    return found


def draw(path: Path, sky: NDArray, visibilities: GridVisibilities, methods: list[str]) -> None:
    """The sky, and what methods make of it: linear, logarithmic, and what is wrong, linear and logarithmic."""
    images = [make_image(visibilities, method).image[0] for method in methods]
    errors = [image - sky for image in images]
    told = [f"{NAMES[m]}\n{psnr_db(i[None], sky[None]):.1f} dB" for m, i in zip(methods, images, strict=True)]
    coverage = np.fft.fftshift(visibilities.mask).astype(float)
    panels = [[sky, *images], [sky, *images], [None, *errors], [coverage, *map(np.abs, errors)]]
    draw_figure(
        str(path),
        size_of(len(panels), len(images) + 1),
        lambda figure: draw_panels(
            figure, panels, ["sky", *told], ["image", "image", "error", "coverage, error"],
            ["linear", "log", "signed", "log"],
        ),
    )  # fmt: skip


def main() -> None:
    """Measure, draw, write."""
    parser = make_parser(__doc__)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--sigmas", nargs="+", type=float, default=SIGMAS)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw imaging_*.png there, and measure nothing")
    args = parser.parse_args()
    torch.set_num_threads(1)
    side, count, sigmas = (32, 2, (0.005,)) if args.quick else (SIDE, SKIES, args.sigmas)
    skies, cases = draw_skies(side, count, 1), dict[str, Any]()
    for name, mask in coverages(side).items():
        if args.pictures is not None:
            pictured = skies[PICTURED[name] % count]
            seen = observe(pictured[None], mask, 0.005, 3)
            draw(args.pictures / f"imaging_{name}.png", pictured, seen, [m for m in NAMES if m in args.methods])
            continue
        case: dict[str, Any] = {"measured": round(float(mask.mean()), 3)}
        cases[name] = case
        for sigma in sigmas:
            case[f"sigma {sigma:g}"] = measured(skies, observe(skies, mask, sigma, 2), args.methods)
    if args.pictures is None:
        write_result(__file__, args, {"side": side, "skies": count, "coverages": cases})


if __name__ == "__main__":
    main()
