"""Every sampler with every guidance on a network that ships, whose Jacobian and far ends are only nearly right."""

import math

import pytest
import torch

from doamc.denoising.snapshot_net import clean_snapshots, open_snapshot_denoiser
from doamc.diffusion.grid import GRIDS, log_snr_span, make_grid
from doamc.diffusion.guidance import GUIDANCES, Ddrm, guide
from doamc.diffusion.linear_operator import LinearOperator
from doamc.diffusion.samplers import SAMPLERS, ItemNoise, SharedNoise, make_sampler, sample
from doamc.diffusion.schedules import SCHEDULES, make_schedule
from doamc.errors import SamplerError
from doamc.learning.checkpoint import find_weights, load_checkpoint
from doamc.spec import load_spec

SPEC, NOISE = load_spec("ula8"), 0.3
EYE = LinearOperator.selection(8, range(8))
COUNT = 60


@pytest.fixture(scope="module")
def net():
    return open_snapshot_denoiser(load_checkpoint(find_weights("snapshot", "ula8"), "snapshot", SPEC), SPEC)


@pytest.fixture(scope="module")
def truth():
    """Clean snapshots of one to three sources, unit mean power, and what is received of them."""
    x = torch.cat([clean_snapshots(SPEC, COUNT // 3, p, 70 + p) for p in (1, 2, 3)])
    generator = torch.Generator().manual_seed(71)
    return x, x + math.sqrt(NOISE) * torch.randn(x.shape, dtype=x.dtype, generator=generator)


def error(x, wanted):
    return float((x - wanted).abs().square().mean())


def noisy(x, log_snr):
    alpha, sigma = 1 / math.sqrt(1 + math.exp(-log_snr)), 1 / math.sqrt(1 + math.exp(log_snr))
    generator = torch.Generator().manual_seed(72)
    return alpha * x + sigma * torch.randn(x.shape, dtype=x.dtype, generator=generator), alpha, sigma


def test_the_network_is_nowhere_worse_than_knowing_the_power(net):
    """Over all that it was trained at; a network that tells eps itself has an error of 250 at log-SNR -12.

    White x_0 of unit power has the error sigma^2; 3 % for 900 snapshots.
    """
    x = torch.cat([clean_snapshots(SPEC, 300, p, 70 + p) for p in (1, 2, 3)])
    low, high = net.trained
    for log_snr in range(int(low), int(high) + 1):
        x_t, alpha, sigma = noisy(x, float(log_snr))
        assert error(net(x_t, alpha, sigma), x) < 1.03 * error(alpha * x_t, x)


#: those that every run tries, and those that a run of all tests does
FEW = ("adams", "ddim", "ddpm", "euler-maruyama")
REST = [pytest.param(name, marks=pytest.mark.slow) for name in sorted(set(SAMPLERS) - {"indi", *FEW})]


@pytest.mark.parametrize("guidance", sorted(GUIDANCES))
@pytest.mark.parametrize("sampler", [*FEW, *REST])
def test_every_pair_ends_near_the_truth(net, truth, sampler, guidance):
    """On a grid that would begin at log-SNR -14 and end at 15, further than the network goes.

    y has an error of 0.28, what the network makes of y 0.12, a sample of the posterior twice that; y - x_0 given to
    the array a second time, 0.57, is worse than no denoising at all. `flow-heun` is not made for this grid. Langevin
    dynamics have hardly begun after so few steps, and still hold of the noise that they start in.
    """
    x, y = truth
    low, high = log_snr_span(1.0, 1e-3)
    grid = make_grid("knee", make_schedule("vp"), 20, net.trained, low=low - 2, high=high + 6)
    guided = guide(guidance, net, EYE, y, NOISE)
    found = sample(guided, make_sampler(sampler), grid, ItemNoise(range(COUNT), (8,)), end="mean")
    bar = {"flow-heun": 2.5, "langevin": 2.5, "annealed-langevin": 12.0}.get(sampler, 0.57)
    assert error(found, x) < bar


@pytest.mark.parametrize("sampler", ["adams", "euler-maruyama"])
def test_moments_stay_bounded_where_half_of_the_elements_are_seen(net, truth, sampler):
    """The seen half is no further from the truth than y is; the unseen half no further than knowing nothing, 1."""
    x, y = truth
    grid = make_grid("knee", make_schedule("vp"), 15, net.trained, low=-12.0, high=9.0)
    half = LinearOperator.selection(8, [0, 1, 2, 3])
    guided = guide("moments", net, half, y[:, :4], NOISE)
    found = sample(guided, make_sampler(sampler), grid, ItemNoise(range(COUNT), (8,)), end="mean")
    assert error(found[:, :4], x[:, :4]) < 0.57 and error(found[:, 4:], x[:, 4:]) < 2.0


@pytest.mark.parametrize("gamma", [1.0, 100.0])
def test_equation_16_without_a_cap_is_finite(net, truth, gamma):
    """Taken as one step it leaves all bounds in the first step; as gradient flow it ends at y where gamma is large."""
    x, y = truth
    grid = make_grid("uniform", make_schedule("vp"), 50, net.trained)
    guided = guide("likelihood", net, EYE, y, NOISE, gamma=gamma, limit=None)
    found = sample(guided, make_sampler("euler-maruyama"), grid, ItemNoise(range(COUNT), (8,)), end="mean")
    assert error(found, x) < 0.57
    for options in ({"limit": 3.0}, {"limit": math.inf}):
        with pytest.raises(SamplerError, match=r"limit must lie in \(0, 2\]"):
            guide("likelihood", net, EYE, y, NOISE, **options)
    with pytest.raises(SamplerError, match="beyond which steps diverge"):
        guide("step", net, EYE, y, NOISE, eta=1.0)


@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
@pytest.mark.parametrize("name", sorted(GRIDS))
def test_grids_stay_where_the_network_was_trained(net, truth, name, schedule):
    """On every schedule, those with alpha = 1 too; a grid that leaves is refused by `sample`."""
    x, y = truth
    options = {} if name == "uniform" else {"low": -20.0, "high": 20.0}
    wide = make_grid(name, make_schedule(schedule), 12, **options)
    grid = make_grid(name, make_schedule(schedule), 12, net.trained, **options)
    guided, noise = guide("combined", net, EYE, y, NOISE), ItemNoise(range(COUNT), (8,))
    assert error(sample(guided, make_sampler("ddim"), grid, noise, end="mean"), x) < 0.4
    if name != "uniform":
        with pytest.raises(SamplerError, match="the network was trained at"):
            sample(guided, make_sampler("ddim"), wide, noise)


def test_ddrm_on_the_network(net, truth):
    x, y = truth
    grid = make_grid("log-snr", make_schedule("vp"), 40, net.trained, low=-8.0, high=9.0)
    chain = Ddrm(EYE, y, NOISE)
    assert error(sample(net, chain, grid, SharedNoise(3, (COUNT, 8)), end="none"), x) < 0.57
