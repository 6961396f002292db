"""Images by the published sampler on its published grid, and by the engine's guidances, beside `doamc image`.

    .venv/bin/python benchmarks/sky_samplers.py [--quick]

PSNR in dB, mean over skies of the prior's own generator, 64 x 64, the long VLA track of `yardsticks.telescopes`.

steps: sigma 0.0005 and 0.0001, over K calls of the network. linear: `Ddrm` with eta 0.85 and eta_b 1 on the grid that
is published with it, every (1000 / K)-th of the 1000 levels of linear beta, 1e-4 to 0.02, for images from -1 to 1;
where these leave what the network knows (sigma / alpha above 20), it answers as at 20. ddrm, posterior: the methods of
`doamc image`. At sigma 0.0001 the first two with the fewest and the most calls alone.

guidance: sigma 0.005, 50 calls down a grid even in log-SNR, by `ddim`; x_0 taken for white of power 0.01 where a
guidance asks for it. H has not full rank, where `combined` is `projection`. `moments` is left out: its exact inner
solve takes a product with the network's Jacobian for each of the 2400 measured cells and each step. One thread.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from command import make_parser, write_result
from numpy.typing import NDArray
from yardsticks.telescopes import coverages

from doamc.diffusion.denoiser import Level
from doamc.diffusion.grid import Grid, make_grid
from doamc.diffusion.guidance import Ddrm, guide
from doamc.diffusion.samplers import ItemNoise, make_sampler, sample
from doamc.diffusion.schedules import VESchedule
from doamc.imaging.sampling import FourierSampling
from doamc.imaging.visibilities import GridVisibilities, make_visibilities
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.generator import draw_skies
from doamc.skies.net import SCALE
from doamc.skies.problem import Run
from doamc.skies.restoration import restore

SIDE = 64
STEPS, GUIDED_CALLS = (10, 50, 100, 500, 1000), 50
SIGMAS = (5e-4, 1e-4)
GUIDANCES: dict[str, dict[str, float]] = {
    "combined": {"power": SCALE**2},
    "pigdm": {"power": SCALE**2},
    "dps": {},
    "replacement": {},
}


class AnyLevel:
    """The prior, which answers at any level of noise, so that a grid may leave those of training."""

    def __init__(self) -> None:
        self.prior = SkyDenoiser.open((SIDE, SIDE))

    def __call__(self, x_t: torch.Tensor, alpha: Level, sigma: Level) -> torch.Tensor:
        """Mean of x_0."""
        return self.prior(x_t, alpha, sigma)


def linear_beta(steps: int) -> Grid:
    """The levels that the published sampler visits, from the noisiest on: it has images from -1 to 1, here 0 to 1."""
    kept = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[:: 1000 // steps][::-1]
    return Grid(tuple(range(steps, 0, -1)), tuple(np.sqrt(kept).tolist()), tuple((np.sqrt(1 - kept) / 2).tolist()))


def observed(skies: NDArray, sigma: float) -> GridVisibilities:
    """Through the long track, with the noise of real white noise."""
    mask = coverages(SIDE)["vla"]
    noise = sigma * np.random.default_rng(2).standard_normal(skies.shape)
    return make_visibilities(np.where(mask, np.fft.fft2(skies + noise, norm="ortho"), 0), mask, sigma)


def by_engine(seen: GridVisibilities, grid: Grid, guidance: str | None) -> NDArray:
    """Images by `Ddrm`, or by `ddim` with a guidance."""
    operator, y, noise_power = FourierSampling.of(seen)
    noise = ItemNoise(range(len(y)), (operator.columns,), torch.float32)
    prior: Any = AnyLevel()
    chain: Any = Ddrm(operator, y, noise_power)
    if guidance is not None:
        prior = guide(guidance, prior, operator, y, noise_power, **GUIDANCES[guidance])
        chain = make_sampler("ddim")
    start = chain.start(grid, noise.draw()) if guidance is None else None
    found = sample(prior, chain, grid, noise, start, end="mean")
    return found.detach().unflatten(1, (SIDE, SIDE)).double().numpy()


def by_command(seen: GridVisibilities, steps: int, method: str) -> NDArray:
    """Images as `doamc image` makes them."""
    return restore(seen, Run(steps), method).image


def measured(skies: NDArray, image: Callable[[], NDArray]) -> dict[str, float]:
    """PSNR and time of a sky."""
    begin = time.process_time()
    error = np.square(image() - skies).mean((1, 2))
    spent = (time.process_time() - begin) / len(skies)
    return {"psnr_db": round(float(-10 * np.log10(error).mean()), 2), "s_a_sky": round(spent, 3)}


def main() -> None:
    """Measure and write."""
    args = make_parser(__doc__).parse_args()
    torch.set_num_threads(1)
    count, all_steps, calls = (1, (10,), 4) if args.quick else (3, STEPS, GUIDED_CALLS)
    skies = draw_skies(count, SIDE, torch.Generator().manual_seed(3), broad=0.0).double().numpy()
    rise: dict[str, Any] = {}
    for sigma in SIGMAS:
        seen, row = observed(skies, sigma), dict[str, Any]()
        rise[f"{sigma:g}"] = row
        for steps in all_steps:
            row[str(steps)] = found = dict[str, Any]()
            if sigma == SIGMAS[0] or steps in (all_steps[0], all_steps[-1]):
                found["linear"] = measured(skies, partial(by_engine, seen, linear_beta(steps), None))
                found["ddrm"] = measured(skies, partial(by_command, seen, steps, "ddrm"))
            found["posterior"] = measured(skies, partial(by_command, seen, steps, "posterior"))
            print(sigma, steps, found, flush=True)
    noisier, guided = observed(skies, 0.005), dict[str, Any]()
    grid = make_grid("log-snr", VESchedule(), calls, low=-2 * np.log(3.0), high=-2 * np.log(0.0025))
    for name in GUIDANCES:
        guided[name] = measured(skies, partial(by_engine, noisier, grid, name))
        print(name, guided[name], flush=True)
    for method in ("ddrm", "posterior"):
        guided[method] = measured(skies, partial(by_command, noisier, calls, method))
        print(method, guided[method], flush=True)
    write_result(__file__, args, {"skies": count, "steps": rise, "guidance": guided})


if __name__ == "__main__":
    main()
