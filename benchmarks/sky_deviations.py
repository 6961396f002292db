"""Deviations of skies: fits the network that tells them, and how many pixels its intervals hold on families left out.

    .venv/bin/python benchmarks/sky_deviations.py --draw DATA.npz [--minutes M] [--seed N] [--steps K]
    .venv/bin/python benchmarks/sky_deviations.py --fit DATA.npz ... [--weights FILE.safetensors] [--quick]

Skies of the prior's own generator and of the families of `yardsticks.families`, 64 x 64, through coverages of
`yardsticks.random_coverage`, noise of 0.0005 to 0.05 of the peak, chains of 10 to 200 steps; a chain tells what is
known of it after 10, 20, 50 and 100 steps as well. Of each sky 256 pixels are kept to learn from, half of them above
the noise, and 512 of all to judge by. The own generator counts for `OWN` of all. hold_90: share of all pixels of a
family in the interval, and of those above the noise, where this family was left out of the fit; for the own one a third
of its skies is. One thread.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from command import make_parser, write_result
from numpy.typing import NDArray
from yardsticks.families import draw_family
from yardsticks.random_coverage import draw_coverage

from doamc.files.atomic import whole_file
from doamc.imaging.visibilities import make_visibilities
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.deviations import Deviations
from doamc.skies.evidence import Evidence
from doamc.skies.features import pixel_features, sky_features
from doamc.skies.generator import draw_skies
from doamc.skies.posterior import SWEEP, gathered
from doamc.skies.problem import Run

SIDE, TOGETHER, LEARN, JUDGE = 64, 2, 256, 512
STEPS, SHARES = (10, 20, 50, 100, 200), (0.3, 0.3, 0.22, 0.1, 0.08)
#: families in the order that they are drawn in: a third of them the own one
ORDER = ("own", "blobs", "filaments", "own", "fractal", "points", "own", "disks", "galaxies", "own", "halos", "strokes")
OWN, ROUNDS, BATCH, RATE, DECAY = 0.5, 500, 64, 0.01, 0.01
QUANTILE = 0.88  #: at 0.9 what is left out holds 0.92 to 0.95: what each sky holds is noisy, and its square lopsided
#: weight of what each sky holds; width of an edge that has a slope; pixels that have a share
EVEN, SOFT, ENOUGH = 1.0, 0.15, 8
FLOOR = 1e-5  #: least error, in units of the noise

Data = dict[str, NDArray]


def drawn(minutes: float, seed: int, steps: int | None = None) -> Data:
    """What is known of skies, a row for each after each number of steps. steps: of all chains, else at random."""
    end, rows, count = time.monotonic() + 60 * minutes, list[dict[str, Any]](), 0
    rng, choose = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    prior = SkyDenoiser.open((SIDE, SIDE))
    while time.monotonic() < end or count < len(ORDER):
        family = ORDER[count % len(ORDER)]
        count += 1
        broad = float(rng.choice([0.0, 0.3]))
        if family == "own":
            generator = torch.Generator().manual_seed(int(rng.integers(1 << 40)))
            skies = draw_skies(TOGETHER, SIDE, generator, broad).double().numpy()
        else:
            skies = draw_family(family, SIDE, TOGETHER, rng)
        mask, sigma = draw_coverage(SIDE, rng), float(np.exp(rng.uniform(np.log(5e-4), np.log(0.05))))
        chosen = steps or int(rng.choice(STEPS, p=SHARES))
        noisy = skies + sigma * rng.standard_normal(skies.shape)
        seen = make_visibilities(np.where(mask, np.fft.fft2(noisy, norm="ortho"), 0), mask, sigma)
        run = Run(chosen, seed=100000 * seed + count)
        with torch.inference_mode():
            for evidence in gathered(seen, run, prior, at=[k // SWEEP for k in STEPS]):
                known = {"family": family, "scene": run.seed, "sigma": sigma}
                rows.extend(known | row for row in told(evidence, skies, sigma, choose))
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def told(evidence: Evidence, skies: NDArray, sigma: float, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Of every sky features and logarithms of errors, LEARN + JUDGE pixels."""
    pixels, of_sky = pixel_features(evidence).flatten(1, 2).numpy(), sky_features(evidence).numpy()
    off = np.abs(evidence.image.numpy() - skies) / evidence.level.double().numpy()[:, None, None]
    error, above = np.log(np.maximum(off, FLOOR)).reshape(len(skies), -1), (skies > sigma).reshape(len(skies), -1)
    rows = []
    for k in range(len(skies)):
        some = [np.flatnonzero(above[k] == b) for b in (True, False)]
        learn = np.resize(np.concatenate([rng.choice(v, LEARN // 2) for v in some if len(v)]), LEARN)
        at = np.concatenate([learn, rng.choice(SIDE**2, JUDGE, replace=False)])
        rows.append({"steps": SWEEP * evidence.sweeps, "pixels": pixels[k, at], "sky": of_sky[k],
                     "error": error[k, at].astype(np.float32), "above": above[k, at]})  # fmt: skip
    return rows


def fitted(data: Data, chosen: NDArray, rounds: int) -> Deviations:
    """The network of least pinball loss on the chosen rows, where each sky is to hold nine tenths as well."""
    torch.manual_seed(0)
    pixels, sky, error, above = (
        torch.from_numpy(v) for v in (data["pixels"][chosen, :LEARN], data["sky"][chosen],
                                      data["error"][chosen, :LEARN], data["above"][chosen, :LEARN])
    )  # fmt: skip
    net = Deviations()
    net.pixel_middle, net.pixel_scale = pixels.mean((0, 1)), pixels.std((0, 1)) + 1e-6
    net.sky_middle, net.sky_scale = sky.mean(0), sky.std(0) + 1e-3
    torch.nn.init.zeros_(net.straight.weight)
    torch.nn.init.zeros_(net.last.weight)
    torch.nn.init.constant_(net.straight.bias, float(np.quantile(error.numpy(), QUANTILE)))
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, rounds)
    shares = torch.from_numpy(weights(data["family"][chosen], data["steps"][chosen]))
    for _ in range(rounds):
        some = torch.multinomial(shares, BATCH, replacement=True)
        off = error[some] - net(pixels[some], sky[some])
        loss = torch.maximum(QUANTILE * off, (QUANTILE - 1) * off).mean()
        inside = torch.sigmoid(-off / SOFT)
        for part in (above[some], ~above[some]):
            count = part.sum(1)
            held = (inside * part).sum(1) / count.clamp_min(1)
            loss = loss + EVEN * ((held - QUANTILE).square() * (count > ENOUGH)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net.requires_grad_(False)


def weights(family: NDArray, steps: NDArray) -> NDArray[np.float64]:
    """Of rows: the own family counts for `OWN` of all, the others for as much as each other.

    Within each, rows of a number of steps that few have count for more, by the root of how few they are.
    """
    _, kind, count = np.unique(steps, return_inverse=True, return_counts=True)
    rows = 1 / np.sqrt(count[kind])
    others = [name for name in set(family) if name != "own"]
    for name, share in [("own", OWN), *((name, (1 - OWN) / len(others)) for name in others)]:
        rows[family == name] *= share / rows[family == name].sum()
    return rows


def held(net: Deviations, data: Data, chosen: NDArray) -> dict[str, float]:
    """Share of pixels in the interval; of those above the noise; tenth of the skies that hold least."""
    with torch.inference_mode():
        half = net(torch.from_numpy(data["pixels"][chosen, LEARN:]), torch.from_numpy(data["sky"][chosen])).numpy()
    inside, above = data["error"][chosen, LEARN:] < half, data["above"][chosen, LEARN:]
    return {
        "hold_90": round(float(inside.mean()), 3),
        "above_noise": round(float(inside[above].mean()), 3),
        "worst_tenth_of_skies": round(float(np.quantile(inside.mean(1), 0.1)), 3),
    }


def left_out(data: Data, family: str) -> NDArray[np.bool_]:
    """Rows to judge by: all of a family, or of the own one a third of its scenes."""
    rows = data["family"] == family
    if family == "own":
        rows &= np.isin(data["scene"], np.unique(data["scene"][rows])[::3])
    return rows


def main() -> None:
    """Draw or fit."""
    parser = make_parser(__doc__)
    parser.add_argument("--draw", type=Path, metavar="DATA", help="draw skies and write what is known of them")
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn")
    parser.add_argument("--steps", type=int, help="of all chains that are drawn (default: 10 to 200, at random)")
    parser.add_argument("--fit", type=Path, nargs="+", metavar="DATA", help="what was drawn")
    parser.add_argument("--weights", type=Path, help="file of weights to write")
    args: argparse.Namespace = parser.parse_args()
    torch.set_num_threads(1)
    parts = list[Data]()
    if args.draw is not None or args.fit is None:
        parts.append(drawn(0 if args.quick else args.minutes, args.seed, args.steps))
        if args.draw is not None:
            np.savez_compressed(args.draw, **parts[0])  # type: ignore[arg-type]
    for path in args.fit or ():
        with np.load(path) as file:
            parts.append({key: file[key] for key in file.files})
    data = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    rounds = 3 if args.quick else ROUNDS
    if args.weights is not None:
        from safetensors.torch import save

        net = fitted(data, np.ones(len(data["family"]), bool), rounds)
        with whole_file(args.weights) as out_file:
            out_file.write(save(net.state_dict()))
    result: dict[str, Any] = {"rows": len(data["family"]), "skies": TOGETHER * len(np.unique(data["scene"]))}
    for name in sorted(set(data["family"])):
        out = left_out(data, name)
        result[name] = held(fitted(data, ~out, rounds), data, out)
        print(name, result[name], flush=True)
    if args.fit is not None or args.quick:
        write_result(__file__, args, result)


if __name__ == "__main__":
    main()
