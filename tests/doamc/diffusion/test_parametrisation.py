"""Heads: each way there and back, the identities between them, a network of each kind as the same denoiser."""

import math

import pytest
import torch

from doamc.diffusion.denoiser import GaussianDenoiser, MixtureDenoiser
from doamc.diffusion.parametrisation import KINDS, NetworkDenoiser, from_x0, to_x0
from doamc.errors import SamplerError

G = torch.Generator().manual_seed(0)
X_0, EPS = (torch.randn(5, 3, dtype=torch.complex128, generator=G) for _ in range(2))
LEVELS = [(0.01, 1.0), (0.6, 0.8), (1.0, 0.02), (1.0, 30.0)]  # the last two have alpha^2 + sigma^2 != 1


@pytest.mark.parametrize(("alpha", "sigma"), LEVELS)
def test_identities(alpha, sigma):
    x_t = alpha * X_0 + sigma * EPS
    eps, score, v = (from_x0(kind, X_0, x_t, alpha, sigma) for kind in ("eps", "score", "v"))
    assert torch.allclose(eps, EPS, atol=1e-9)
    assert torch.allclose(score, -eps / sigma, atol=1e-9)  # eq. (28)
    assert torch.allclose(v, alpha * EPS - sigma * X_0, atol=1e-9)
    for kind in KINDS:
        back = to_x0(kind, from_x0(kind, X_0, x_t, alpha, sigma), x_t, alpha, sigma)
        assert torch.allclose(back, X_0, atol=1e-8)


def test_score_is_the_gradient_of_the_log_density():
    """Of a mixture, by autograd: torch's gradient by a complex number is twice that by its conjugate."""
    means = torch.tensor([[1.0 + 0j, 0.3j], [-1.0, 0.5]], dtype=torch.complex128)
    variances, weights = torch.tensor([0.1, 0.4], dtype=torch.float64), torch.tensor([0.4, 0.6], dtype=torch.float64)
    alpha, sigma = 0.8, 0.5
    x = torch.randn(4, 2, dtype=torch.complex128, generator=G).requires_grad_()
    total = alpha**2 * variances + sigma**2
    exponent = -(x[:, None] - alpha * means).abs().square().sum(2) / total - 2 * total.log() + weights.log()
    (gradient,) = torch.autograd.grad(torch.logsumexp(exponent, 1).sum(), x)
    x = x.detach()
    x_0 = MixtureDenoiser(weights, means, variances)(x, alpha, sigma)
    assert torch.allclose(from_x0("score", x_0, x, alpha, sigma), gradient / 2, atol=1e-12)


def test_real_mixture_has_the_half_in_its_exponent():
    means = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    prior = MixtureDenoiser(torch.tensor([0.5, 0.5], dtype=torch.float64), means, torch.full((2,), 0.2))
    share = prior.responsibility(torch.tensor([[0.3]], dtype=torch.float64), 1.0, 1.0)
    assert float(share[0, 0]) == pytest.approx(1 / (1 + math.exp(-2 * 0.3 / 1.2)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_of_any_kind_is_the_same_denoiser(kind):
    r = torch.diag(torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64)).to(torch.complex128)
    exact = GaussianDenoiser(torch.zeros(3, dtype=torch.complex128), r)

    def net(x_t, log_snr):
        alpha, sigma = (float(torch.sigmoid(s * log_snr).sqrt()) for s in (1, -1))
        return from_x0(kind, exact(x_t, alpha, sigma), x_t, alpha, sigma)

    found = NetworkDenoiser(net, kind)(EPS, 0.6, 0.8)
    assert torch.allclose(found, exact(EPS, 0.6, 0.8), atol=1e-12)


def test_unknown_kind_is_said():
    with pytest.raises(SamplerError, match="must be one of eps, x0, score, v"):
        to_x0("noise", EPS, EPS, 0.6, 0.8)
