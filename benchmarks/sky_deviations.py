"""Deviations of skies: fits the network that tells them, and how many pixels its intervals hold on families left out.

    .venv/bin/python benchmarks/sky_deviations.py --draw DATA.npz [--minutes M]    skies, images, evidence
    .venv/bin/python benchmarks/sky_deviations.py --fit DATA.npz [--weights FILE.safetensors] [--quick]

Skies of the prior's own generator and of the families of `yardsticks.families`, 64 x 64, through coverages of
`yardsticks.random_coverage`, noise of 0.0005 to 0.05 of the peak, chains of 10 to 200 steps. Of each sky 256 pixels are
kept to learn from, half of them above the noise, and 512 of all to judge by. Those of the own generator count
`OWN` times. hold_90: share of all pixels of a family in the interval, and of those above the noise, where this family
was left out of the fit; for the own one half of its skies is. One thread.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from command import make_parser, write_result
from numpy.typing import NDArray
from yardsticks.families import FAMILIES, draw_family
from yardsticks.random_coverage import draw_coverage

from doamc.files.atomic import whole_file
from doamc.imaging.visibilities import make_visibilities
from doamc.skies import restoration
from doamc.skies.deviations import Deviations
from doamc.skies.evidence import Evidence
from doamc.skies.generator import draw_skies
from doamc.skies.restoration import Run, restore

SIDE, TOGETHER, OWN, LEARN, JUDGE = 64, 2, 4, 256, 512
STEPS, SHARES = (10, 20, 50, 100, 200), (0.3, 0.3, 0.2, 0.14, 0.06)
QUANTILE, ROUNDS, RATE, DECAY = 0.9, 700, 0.02, 1e-3
FLOOR = 1e-5  #: least error, in units of the noise


class Kept(Deviations):
    """Keeps the evidence and tells no deviation."""

    kept: Evidence

    def of(self, evidence: Evidence) -> torch.Tensor:
        """Ones."""
        Kept.kept = evidence
        return torch.ones_like(evidence.image)

    @classmethod
    def open(cls, path: Any = None) -> "Kept":
        """Without weights."""
        return cls()


def drawn(minutes: float, rng: np.random.Generator) -> dict[str, NDArray]:
    """Features and logarithms of errors of pixels: family (S,), learn and judge (S, pixels, F + 2)."""
    restoration.Deviations = Kept  # type: ignore[misc]
    end, rows = time.monotonic() + 60 * minutes, list[tuple[str, NDArray, NDArray]]()
    families = ["own", *FAMILIES]
    while time.monotonic() < end or len(rows) < 2 * len(families):
        family = families[len(rows) // TOGETHER % len(families)]
        if family == "own":
            generator = torch.Generator().manual_seed(int(rng.integers(1 << 40)))
            skies = draw_skies(TOGETHER, SIDE, generator).double().numpy()
        else:
            skies = draw_family(family, SIDE, TOGETHER, rng)
        mask, sigma = draw_coverage(SIDE, rng), float(np.exp(rng.uniform(np.log(5e-4), np.log(0.05))))
        noisy = skies + sigma * rng.standard_normal(skies.shape)
        seen = make_visibilities(np.where(mask, np.fft.fft2(noisy, norm="ortho"), 0), mask, sigma)
        image = restore(seen, Run(int(rng.choice(STEPS, p=SHARES)), seed=len(rows))).image
        level = Kept.kept.level.double().numpy()[:, None, None]
        error = np.log(np.maximum(np.abs(image - skies) / level, FLOOR))
        above = skies > sigma
        table = np.concatenate([Kept.kept.features().numpy(), error[..., None], above[..., None]], -1)
        for each, bright in zip(table.reshape(len(skies), SIDE**2, -1), above.reshape(len(skies), -1), strict=True):
            some = [np.flatnonzero(bright == b) for b in (True, False)]
            learn = np.concatenate([rng.choice(v, LEARN // 2) for v in some if len(v)])
            learn = np.resize(learn, LEARN)
            rows.append((family, each[learn], each[rng.choice(SIDE**2, JUDGE, replace=False)]))
    return {
        "family": np.array([r[0] for r in rows]),
        "learn": np.stack([r[1] for r in rows]).astype(np.float32),
        "judge": np.stack([r[2] for r in rows]).astype(np.float32),
    }


def fitted(tables: NDArray, rounds: int) -> Deviations:
    """The network of least pinball loss on tables (S, pixels, F + 2)."""
    torch.manual_seed(0)
    data = torch.from_numpy(tables).flatten(0, 1)
    features, error = data[:, :-2], data[:, -2]
    net = Deviations()
    net.middle, net.scale = features.mean(0), features.std(0) + 1e-6
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, rounds)
    for _ in range(rounds):
        off = error - net(features)
        loss = torch.maximum(QUANTILE * off, (QUANTILE - 1) * off).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net.requires_grad_(False)


def held(net: Deviations, tables: NDArray) -> dict[str, float]:
    """Share of pixels in the interval; of those above the noise; tenth of the skies that hold least."""
    data = torch.from_numpy(tables)
    inside = (data[..., -2] < net(data[..., :-2])).float()
    above = data[..., -1] > 0
    return {
        "hold_90": round(float(inside.mean()), 3),
        "above_noise": round(float(inside[above].mean()), 3),
        "worst_tenth_of_skies": round(float(inside.mean(1).quantile(0.1)), 3),
    }


def weighted(family: NDArray, chosen: NDArray) -> NDArray:
    """Numbers of the chosen skies, those of the own generator `OWN` times."""
    return np.concatenate([np.flatnonzero(chosen)] + (OWN - 1) * [np.flatnonzero(chosen & (family == "own"))])


def main() -> None:
    """Draw or fit."""
    parser = make_parser(__doc__)
    parser.add_argument("--draw", type=Path, metavar="DATA", help="draw skies and write what is known of them")
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--fit", type=Path, metavar="DATA", help="what was drawn")
    parser.add_argument("--weights", type=Path, help="file of weights to write")
    args: argparse.Namespace = parser.parse_args()
    torch.set_num_threads(1)
    if args.draw is not None or args.fit is None:
        found = drawn(0 if args.quick else args.minutes, np.random.default_rng(0))
        if args.draw is not None:
            np.savez_compressed(args.draw, **found)
    if args.fit is not None:
        with np.load(args.fit) as file:
            found = {key: file[key] for key in ("family", "learn", "judge")}
    family, learn, judge = found["family"], found["learn"], found["judge"]
    rounds = 3 if args.quick else ROUNDS
    result: dict[str, Any] = {"skies": len(family)}
    for name in sorted(set(family)):
        out = family == name
        if name == "own":
            out = out & (np.cumsum(out) % 2 == 0)
        result[name] = held(fitted(learn[weighted(family, ~out)], rounds), judge[out])
        print(name, result[name], flush=True)
    if args.weights is not None:
        from safetensors.torch import save

        net = fitted(learn[weighted(family, np.ones(len(family), bool))], rounds)
        with whole_file(args.weights) as out_file:
            out_file.write(save(net.state_dict()))
    if args.fit is not None or args.quick:
        write_result(__file__, args, result)


if __name__ == "__main__":
    main()
