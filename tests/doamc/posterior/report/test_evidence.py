"""Parts of the evidence in closed form, by scipy and by drawing."""

import math

import pytest
import torch
from scipy.integrate import quad
from scipy.stats import multivariate_t

from doamc.likelihood.coordinates import make_coordinates
from doamc.posterior.report.evidence import log_evidence_of_noise, separation_share, student_log_density
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


def test_evidence_of_no_source_is_the_integral_over_the_noise_power():
    covariance = 0.7 * torch.eye(4, dtype=torch.complex128)[None]
    count, width = torch.tensor([30.0], dtype=torch.float64), math.log(1e4)

    def likelihood(log_noise: float) -> float:
        return math.exp(-30 * 4 * (log_noise + 0.7 * math.exp(-log_noise) - math.log(0.7) - 1))

    peak = -30 * 4 * (math.log(0.7) + 1)
    expected = peak + math.log(quad(likelihood, math.log(0.7) - 2, math.log(0.7) + 2)[0]) - math.log(width)
    assert float(log_evidence_of_noise(covariance, count, None, width)) == pytest.approx(expected, abs=0.01)
    known = log_evidence_of_noise(covariance, count, torch.tensor([0.5], dtype=torch.float64), width)
    assert float(known) == pytest.approx(-30 * 4 * (math.log(0.5) + 0.7 / 0.5))
