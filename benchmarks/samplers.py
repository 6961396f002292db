"""Distance of every sampler and guidance from a known posterior, cost of a step, completion of dead channels.

    .venv/bin/python benchmarks/samplers.py [--only PART]

The tables of docs/samplers.md are printed by this script.

KL(posterior || samples) in nats, complex, N = 8, H of rank 4 with singular values in 0.5..1, prior eigenvalues over a
factor of e^2, mean over three problems; exact where the sampler is an affine map, else (dps) from the moments of 6000
samples, good to 0.01.
"""

import json
import math
import statistics
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from command import make_parser, write_result
from yardsticks.gaussian_truth import Problem, kl, law, random_problem
from yardsticks.stochastic_bound import stochastic_crb

from doamc.denoising.snapshot_net import SnapshotNet
from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid, log_snr_span, make_grid
from doamc.diffusion.guidance import GUIDANCES, Ddrm, guide
from doamc.diffusion.parametrisation import NetworkDenoiser
from doamc.diffusion.samplers import SAMPLERS, ItemNoise, make_sampler, network_calls, sample
from doamc.diffusion.samplers.base import Sampler
from doamc.diffusion.schedules import make_schedule
from doamc.estimators import make_estimator
from doamc.routes.completed import Completed
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec, parse_spec

VP = make_schedule("vp")
N, RANK = 8, 4
SNR_DB = (0.0, 10.0, 20.0, 30.0)
#: grids other than the knee, whose first steps are too long for one-step methods with inner points and for chains
GRID = dict.fromkeys(("adams", "dpm++2m", "dpm++3m", "ddim", "ddpm"), "knee")


def grid_for(name: str, sampler: Sampler, problem: Problem, calls: int) -> Grid:
    smallest = 1 / (1 + float(problem.operator.s[0]) ** 2 / problem.noise_power)
    low, high = log_snr_span(1.0, smallest)
    steps = max(1, (calls - 1) // sampler.calls)
    if name == "euler-maruyama":
        # steps of t: the last ones must be short against sigma^2 / g^2
        return make_grid("log-snr", VP, steps, low=-10.0, high=high)
    return make_grid(GRID.get(name, "log-snr"), VP, steps, low=low, high=high)


def moments(denoiser: Denoiser, sampler: Sampler, grid: Grid, count: int = 6000) -> tuple[torch.Tensor, torch.Tensor]:
    x = sample(denoiser, sampler, grid, ItemNoise(range(count), (N,)))
    away = x - x.mean(0)
    return x.mean(0), away.mT @ away.conj() / count


def distance(sampler_name: str, guidance: str, problem: Problem, calls: int) -> float:
    if guidance == "ddrm":
        sampler, denoiser = Ddrm(problem.operator, problem.y, problem.noise_power), problem.denoiser
    else:
        sampler = make_sampler(sampler_name)
        denoiser = guide(guidance, problem.denoiser, problem.operator, problem.y, problem.noise_power)
    grid = grid_for(sampler_name, sampler, problem, calls)
    found = moments(denoiser, sampler, grid) if guidance == "dps" else law(denoiser, sampler, grid, N)
    if not all(bool(torch.isfinite(f.abs()).all()) for f in found):
        return math.inf
    value = kl(*problem.posterior(), *found)
    return value if math.isfinite(value) and value >= 0 else math.inf


def table(noise_std: float, calls: int, n_problems: int = 3) -> dict[str, dict[str, float]]:
    problems = [random_problem(N, RANK, noise_std, seed=11 + k) for k in range(n_problems)]
    rows = {}
    for name in [n for n in SAMPLERS if n not in ("dpm-1", "indi")]:
        rows[name] = {g: sum(distance(name, g, p, calls) for p in problems) / n_problems for g in GUIDANCES}
        print(f"{name:20s}", {g: f"{v:.2g}" for g, v in rows[name].items()}, flush=True)
    rows["ddrm"] = {"(its own)": sum(distance("ddrm", "ddrm", p, calls) for p in problems) / n_problems}
    print("ddrm", rows["ddrm"], flush=True)
    return rows


def step_cost(repeats: int = 15, steps: int = 30) -> dict[str, dict[str, float]]:
    """Time of a call in a sampler over that of the bare network: processor's clock, one thread, medians."""
    net = SnapshotNet(load_spec("ula8")).eval()
    denoiser = NetworkDenoiser(net, "eps")
    result = {}
    for batch in (1, 64):
        x, clock = torch.randn(batch, 8, dtype=torch.complex64), torch.zeros(1)
        grid = make_grid("log-snr", VP, steps)
        runs = {"network": (steps, lambda x=x, clock=clock: [net(x, clock) for _ in range(steps)])}
        for name in ("ddim", "ddpm", "dpm++2m", "dpm++3m", "adams", "dpm-2", "flow-heun"):
            sampler, noise = make_sampler(name), ItemNoise(range(batch), (8,), torch.complex64)
            calls = network_calls(sampler, grid, "none")
            runs[name] = (calls, lambda s=sampler, g=grid, n=noise, x=x: sample(denoiser, s, g, n, start=x, end="none"))
        spent: dict[str, list[float]] = {name: [] for name in runs}
        with torch.no_grad():
            for _ in range(repeats):  # in turns, so that all meet the same load
                for name, (calls, run) in runs.items():
                    begun = time.thread_time()
                    run()
                    spent[name].append(1e6 * (time.thread_time() - begun) / calls)
        bare = statistics.median(spent["network"])
        row = {"network_us": round(bare, 1)}
        row |= {name: round(statistics.median(us) / bare, 3) for name, us in spent.items() if name != "network"}
        result[f"batch {batch}"] = row
        print(batch, row, flush=True)
    return result


def dead_channels(
    scenes: int = 400, length: int = 200, snr_db: Iterable[float] = SNR_DB
) -> dict[str, dict[str, float]]:
    """Root-MUSIC after completion of ula8 with two elements lost, over the bound of the six that are left.

    whole: root-MUSIC of the same scenes with nothing lost, over the bound of the eight: what the draw of scenes and
    the method are worth by themselves. 400 scenes have a standard error of 0.03.
    """
    table = dict(load_spec("ula8").table)
    table["coupling"] = {**table["coupling"], "magnitude": [[0.0, 0.0]] * len(table["coupling"]["magnitude"])}
    spec = parse_spec(table)
    method = make_estimator("root-music", spec)
    result = {}
    for lost in ((2, 5), (1, 6), (3, 4)):
        live = [k for k in range(8) if k not in lost]
        for snr in snr_db:
            g = torch.Generator().manual_seed(11)
            scene = draw_scene(spec, scenes, 2, snr, g)
            y = receive(scene, length, generator=g).snapshots
            found = {"": Completed(method, lost)(make_batch(y[:, live]), 2), "whole_": method(make_batch(y), 2)}
            row = {}
            for name, e in found.items():
                positions = spec.positions.numpy() if name else spec.positions.numpy()[live]
                rows = zip(scene.azimuth.numpy(), scene.power.numpy(), scene.noise_power.numpy(), strict=True)
                bound = torch.tensor([stochastic_crb(positions, *r, length).tolist() for r in rows])
                error = e.azimuth - scene.azimuth
                row[name + "rmse_over_bound"] = round(float((error.square().mean() / bound.square().mean()).sqrt()), 3)
                row[name + "normalised"] = round(float((error / bound).square().mean().sqrt()), 3)
            result[f"{lost} lost, {snr:g} dB"] = row
            print(lost, snr, row, flush=True)
    return result


def kl_tables(all_calls: Iterable[int] = (16, 64), n_problems: int = 3) -> dict[str, dict[str, dict[str, float]]]:
    tables = {}
    for noise_std in (0.3, 0.03):
        for calls in all_calls:
            print(f"sigma_y {noise_std}, {calls} calls")
            tables[f"sigma_y {noise_std}, {calls} calls"] = table(noise_std, calls, n_problems)
    return tables


#: what each part measures, and its quick run
PARTS: dict[str, tuple[Any, Any]] = {
    "step_over_network": (step_cost, partial(step_cost, 1, 4)),
    "dead_channels": (dead_channels, partial(dead_channels, 4, 50, (20.0,))),
    "kl_nats": (kl_tables, partial(kl_tables, (4,), 1)),
}


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--only", choices=PARTS, help="measure this part again and keep the others of the file")
    args = parser.parse_args()
    torch.set_num_threads(1)
    file = args.out or Path(__file__).with_suffix(".json")
    report = json.loads(file.read_text()) if args.only and file.is_file() and not args.quick else {}
    for name in [args.only] if args.only else PARTS:
        report[name] = PARTS[name][args.quick]()
    write_result(__file__, args, report)


if __name__ == "__main__":
    main()
