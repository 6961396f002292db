"""The sampler is exact in the limit: a posterior known by quadrature, and a long chain written here."""

import math

import pytest
import torch

from doamc.estimators.null_spectrum import NullSpectrum
from doamc.posterior.methods import Posterior
from doamc.posterior.observations import Observations
from doamc.posterior.options import Options
from doamc.posterior.pipeline import PosteriorSampler
from doamc.scenes.prior import draw_scene
from doamc.snapshots.batch import make_batch
from tests.doamc.likelihood.scenes import coordinates_of, point_of, toy_spec


@pytest.mark.parametrize(("snapshots", "snr_db"), [(2, 0.0), (10, 0.0), (30, 10.0)])
def test_toy_posterior_is_that_of_quadrature(snapshots, snr_db):
    spec = toy_spec()
    generator = torch.Generator().manual_seed(4)
    scene = draw_scene(spec, 4, 1, snr_db, generator)
    z = torch.randn(2, 4, 3, snapshots, generator=generator, dtype=torch.float64)
    root = torch.linalg.cholesky(scene.covariance)
    y = root @ torch.complex(z[0], z[1]) / math.sqrt(2)
    covariance, count = y @ y.mH / snapshots, torch.full((4,), float(snapshots), dtype=torch.float64)
    options = Options(chains=1000, steps=400, keep=250)
    observations = Observations(covariance, count, scene.noise_power)
    samples = PosteriorSampler(spec, NullSpectrum(spec), 1, options)(observations)
    found = samples.coordinates.split(samples.x)[3][:, 0]
    # quadrature over the azimuth, all else at the middle of its narrow prior
    grid = torch.linspace(*spec.sector_rad, 4801, dtype=torch.float64)
    middle = 0.5 * (samples.coordinates.low + samples.coordinates.high)
    x = middle[None, :, None].expand(4, -1, len(grid)).clone()
    place = 2  # [log amplitude, |c|, azimuth, arg c] with the noise known
    x[:, place] = grid
    density = torch.softmax(samples.posterior.log_likelihood(x), 1)
    bins = 40
    for b in range(4):
        cumulative = density[b].cumsum(0)
        levels = torch.linspace(0.01, 0.99, bins - 1, dtype=torch.float64)
        edges = grid[torch.searchsorted(cumulative, levels)].unique()
        below = torch.stack([density[b][grid <= e].sum() for e in edges])
        exact = torch.diff(below, prepend=torch.zeros(1), append=torch.ones(1))
        share = torch.bincount(torch.bucketize(found[b].contiguous(), edges), minlength=len(edges) + 1).double()
        share = share / share.sum()
        divergence = float(torch.special.xlogy(share, share / exact).sum())
        assert divergence <= 1e-2, (b, divergence)


def long_chain(batch, scene, steps, chains=200):
    """Plain random walk with its own density: dense matrices, the prior by the scene's own ranges, noise known."""
    spec, p = scene.spec, scene.azimuth.shape[1]
    low, high = spec.sector_rad
    generator = torch.Generator().manual_seed(9)
    ranges = spec.family.magnitude
    length, rhat, s2 = batch.n_snapshots, batch.covariance, batch.noise_power

    def density(az, db, size, turn):
        from doamc.arrays.steering import steering

        c = spec.family.matrix(spec.family.parameters(torch.polar(size, turn)))
        v = c @ steering(spec.positions, az) * (10 ** (db / 20))[..., None, :]
        r = v @ v.mH + s2[:, None, None, None] * torch.eye(spec.n_elements)
        value = torch.linalg.slogdet(r)[1]
        value = value + torch.linalg.solve(r, rhat[:, None].expand_as(r)).diagonal(dim1=-2, dim2=-1).real.sum(-1)
        gaps = az.sort(-1)[0].diff(dim=-1)
        ok = ((az > low) & (az < high)).all(-1) & (gaps > math.radians(spec.min_separation_deg)).all(-1)
        ok &= ((db > spec.power_db[0]) & (db < spec.power_db[1])).all(-1)
        ok &= ((size > ranges[:, 0]) & (size < ranges[:, 1])).all(-1)
        return torch.where(ok, -length * value, -torch.inf)

    c = spec.family.complex(scene.theta)
    start = [scene.azimuth, 10 * scene.power.log10(), c.abs(), c.angle()]
    state = [v[:, None].expand(-1, chains, -1).clone() for v in start]
    coordinates = coordinates_of(scene, False)
    from doamc.likelihood.density import ExactPosterior
    from doamc.likelihood.mode_search import covariance_factors

    root = covariance_factors(
        ExactPosterior(coordinates, rhat, torch.full((batch.size,), float(length)), s2), point_of(coordinates, scene)
    )
    now = density(*state)
    kept = []
    d = coordinates.size
    for i in range(steps):
        size = (2.4, 1.2)[i % 2] / math.sqrt(d)
        z = torch.randn(batch.size, chains, d, generator=generator, dtype=torch.float64) * size
        move = (root @ z[..., None])[..., 0]
        k = c.shape[1]
        parts = move.split([p, k, p, k], -1)  # log amplitude, |c|, azimuth, phase
        new = [state[0] + parts[2], state[1] + parts[0] * 20 / math.log(10), state[2] + parts[1], state[3] + parts[3]]
        value = density(*new)
        ok = torch.rand(batch.size, chains, generator=generator, dtype=torch.float64).log() < value - now
        state = [torch.where(ok[..., None], a, b) for a, b in zip(new, state, strict=True)]
        now = torch.where(ok, value, now)
        if i in (steps // 16, steps // 8):  # the covariance of the chains so far makes the better proposal
            pool = torch.cat([state[1] * math.log(10) / 20, state[2], state[0], state[3]], -1)
            pool = pool - pool.mean(1, keepdim=True)
            root = torch.linalg.cholesky(pool.mT @ pool / chains + 1e-12 * torch.eye(d))[:, None]
        if i >= steps // 4:
            kept.append(state[0].sort(-1)[0])
    return torch.cat(kept, 1).transpose(1, 2)


@pytest.mark.slow
def test_ula8_posterior_is_that_of_a_long_metropolis_chain():
    estimator = Posterior("ula8", options=Options(chains=480, steps=900, keep=800))
    scene = draw_scene(estimator.spec, 3, 2, 5.0, torch.Generator().manual_seed(12))
    generator = torch.Generator().manual_seed(13)
    z = torch.randn(2, 3, 8, 100, generator=generator, dtype=torch.float64)
    y = torch.linalg.cholesky(scene.covariance) @ torch.complex(z[0], z[1]) / math.sqrt(2)
    batch = make_batch(y, 8, scene.noise_power)
    expected = long_chain(batch, scene, 6000)
    (group,) = estimator.samples(batch, 2)
    samples = group.samples
    found = samples.coordinates.split(samples.x)[3].sort(1)[0]
    width = expected.std(2)
    assert ((found.mean(2) - expected.mean(2)).abs() < 0.05 * width).all()
    assert ((found.var(2) - expected.var(2)).abs() < 0.10 * width.square()).all()
