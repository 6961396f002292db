"""What the network brings to images: the chain of `doamc image` with priors that are not learned beside it.

    .venv/bin/python benchmarks/sky_prior.py [--quick]

PSNR in dB, mean over skies that the network was not made for (`yardsticks.skies`), 64 x 64, over the coverages of
`yardsticks.telescopes`. learned: method posterior. sparse: the same chain, steps and solver, and pixels that are
independent, each from a mixture of three Gaussians of mean 0, whose means and variances are closed forms. white: the
network answers 0, which is the Wiener filter of white skies. gaussian: method wiener, the exact posterior mean of a
Gaussian sky of fitted spectrum. One thread.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from command import make_parser, write_result
from yardsticks.skies import draw_skies
from yardsticks.telescopes import coverages

from doamc.diffusion.denoiser import Level
from doamc.imaging.visibilities import GridVisibilities, SkyImage, make_visibilities
from doamc.imaging.wiener import wiener
from doamc.skies import restoration
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.problem import Run
from doamc.skies.restoration import restore

#: of the sparse prior: shares and deviations of pixels that are empty, faint and bright
SHARES, DEVIATIONS = (0.85, 0.1, 0.05), (1e-3, 0.03, 0.3)


class Sparse(SkyDenoiser):
    """Independent pixels from the mixture."""

    def posterior(self, x_t: torch.Tensor, alpha: Level, sigma: Level) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance of the mixture, pixel by pixel."""
        level = torch.as_tensor(sigma / alpha).expand(len(x_t), 1)[..., None].square()
        z = (x_t / alpha)[..., None]
        own = torch.tensor(DEVIATIONS).square()
        total = own + level
        share = torch.softmax(torch.tensor(SHARES).log() - 0.5 * (total.log() + z.square() / total), -1)
        mean, variance = own / total * z, own * level / total
        found = (share * mean).sum(-1)
        return found, (share * (variance + mean.square())).sum(-1) - found.square()


class White(SkyDenoiser):
    """F = 0."""

    def posterior(self, x_t: torch.Tensor, alpha: Level, sigma: Level) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance of a white Gaussian sky."""
        net, self.net = self.net, lambda z, level: (torch.zeros_like(z), torch.zeros_like(z))
        try:
            return super().posterior(x_t, alpha, sigma)
        finally:
            self.net = net


def with_prior(kind: type[SkyDenoiser], seen: GridVisibilities, steps: int) -> SkyImage:
    """The chain with another prior in the place of the network."""
    learned, restoration.SkyDenoiser = restoration.SkyDenoiser, kind
    try:
        return restore(seen, Run(steps))
    finally:
        restoration.SkyDenoiser = learned


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    args = parser.parse_args()
    torch.set_num_threads(1)
    count, steps, sigmas = (1, 10, (0.005,)) if args.quick else (4, 100, (0.005, 0.03))
    skies = draw_skies(64, count, 7)
    priors: dict[str, Callable[[GridVisibilities], SkyImage]] = {
        "learned": lambda seen: restore(seen, Run(steps)),
        "sparse": lambda seen: with_prior(Sparse, seen, steps),
        "white": lambda seen: with_prior(White, seen, steps),
        "gaussian": wiener,
    }
    cases: dict[str, Any] = {}
    for name, mask in coverages(64).items():
        for sigma in sigmas:
            noise = sigma * np.random.default_rng(3).standard_normal(skies.shape)
            seen = make_visibilities(np.where(mask, np.fft.fft2(skies + noise, norm="ortho"), 0), mask, sigma)
            error = {k: np.square(prior(seen).image - skies).mean((1, 2)) for k, prior in priors.items()}
            cases[f"{name} {sigma:g}"] = {k: round(float(-10 * np.log10(e).mean()), 2) for k, e in error.items()}
            print(name, sigma, cases[f"{name} {sigma:g}"], flush=True)
    write_result(__file__, args, {"skies": count, "steps": steps, "psnr_db": cases})


if __name__ == "__main__":
    main()
