"""Parts of the evidence in closed form, by scipy and by drawing."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_t

from doamc.estimators.null_spectrum import NullSpectrum
from doamc.likelihood.coordinates import NEPER_PER_DB, make_coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.posterior.observations import Observations
from doamc.posterior.options import Options
from doamc.posterior.pipeline import PosteriorSampler
from doamc.posterior.report.evidence import (
    free_level_log_prior,
    log_evidence,
    separation_share,
    student_log_density,
)
from doamc.scenes import draw_scene
from doamc.scenes.wishart import draw_covariance
from doamc.spec import load_spec


def test_the_proposal_is_students_distribution():
    t = torch.randn(3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = multivariate_t(loc=[0, 0, 0], shape=1, df=8).logpdf(t.T.numpy())
    torch.testing.assert_close(student_log_density(t, 8.0), torch.from_numpy(expected))


@pytest.mark.parametrize(("array", "n_sources"), [("ula8", 2), ("ula8", 3), ("uca5", 2), ("uca5", 3)])
def test_share_of_azimuths_that_keep_their_separation(array, n_sources):
    coordinates = make_coordinates(load_spec(array), n_sources, False, (-60.0, 40.0))
    low, high = coordinates.spec.sector_rad
    u = torch.rand(1, n_sources, 200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    apart = coordinates.apart(low + (high - low) * u)
    assert abs(float(apart.double().mean()) - separation_share(coordinates)) < 0.005  # 4 sigma


def posterior_of(p, noise_power, covariance=None, margin=6.0):
    spec = load_spec("ula4")
    coordinates = make_coordinates(spec, p, noise_power is None, spec.noise_db, margin)
    covariance = torch.eye(4, dtype=torch.complex128)[None] if covariance is None else covariance
    noise = None if noise_power is None else torch.tensor([noise_power], dtype=torch.float64)
    return ExactPosterior(coordinates, covariance, torch.tensor([30.0], dtype=torch.float64), noise)


@pytest.mark.parametrize("p", [1, 2])
def test_the_prior_of_a_receiver_of_unknown_scale_is_a_density(p):
    """Its integral over all powers is one whatever the noise power is: midpoints of a grid of 0.25 dB."""
    posterior = posterior_of(p, 0.01)
    power = torch.arange(-60.0, 80.0, 0.25, dtype=torch.float64) + 0.125
    amplitude = NEPER_PER_DB * torch.cartesian_prod(*[power] * p).reshape(-1, p).mT[None]
    x = torch.cat([amplitude, torch.zeros(1, posterior.coordinates.size - p, amplitude.shape[2]).double()], 1)
    density = free_level_log_prior(posterior, x).exp().sum() * (0.25 * NEPER_PER_DB) ** p
    assert float(density) == pytest.approx(1.0, abs=0.01)  # -12 to 40 dB over -20 dB of noise, and 6 dB below


def test_powers_further_apart_than_the_prior_has_them_have_no_density():
    posterior = posterior_of(2, 1.0)
    x = torch.zeros(1, posterior.coordinates.size, 3, dtype=torch.float64)
    x[0, 0] = NEPER_PER_DB * torch.tensor([5.0, 6.5, -30.0])
    assert (free_level_log_prior(posterior, x) > -math.inf).tolist() == [[True, False, False]]


@pytest.mark.parametrize("level_known", [True, False])
def test_evidence_of_one_source_is_the_mean_likelihood_of_the_prior(level_known):
    """A weak source, which 200 000 scenes of the prior cover well."""
    spec = load_spec("ula4")
    scene = draw_scene(spec, 4, 1, 0.0, torch.Generator().manual_seed(3))
    length = torch.full((4,), 30.0, dtype=torch.float64)
    covariance = draw_covariance(scene.covariance, length, np.random.default_rng(4))
    known = torch.ones(4, dtype=torch.float64)
    sampler = PosteriorSampler(spec, NullSpectrum(spec), 1, Options())
    samples = sampler(Observations(covariance, length, known, 0.0 if level_known else 6.0))
    found = log_evidence(samples, length, level_known, draws=4096)
    low, high = (0.0, 0.0) if level_known else spec.snr_db
    generator = torch.Generator().manual_seed(5)
    many = draw_scene(spec, 200_000, 1, 0.0, generator)
    level = 10 ** ((low + (high - low) * torch.rand(200_000, 1, dtype=torch.float64, generator=generator)) / 10)
    coordinates = samples.coordinates
    flat, wrapping = (v.mT[None] for v in spec.family.coordinates(many.theta))
    power_db = 10 * (many.power * level).log10().mT[None]
    x = coordinates.join(power_db, flat, power_db, many.azimuth.mT[None], wrapping).expand(4, -1, -1)
    expected = torch.logsumexp(samples.posterior.log_likelihood(x), 1) - math.log(200_000)
    # a tenth of 4096 draws counts, and a hundred scenes of the prior at least: four sigma of both together
    torch.testing.assert_close(found, expected, atol=0.45, rtol=0)
