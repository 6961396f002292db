"""How badly a batch fits the model that is reported of it, in standard deviations and as a probability.

    E = R^-1/2 Rhat R^-1/2 - I,      T = L ||E||^2 = L tr((R^-1 Rhat - I)^2)

For R the true covariance, L Rhat is complex Wishart, and T has the mean N^2 and the variance 2 N^2 + (4 N^3 + 2 N) / L,
exactly, for any number of snapshots L >= 1, fewer than elements among them (from the moments of x^H x and of
tr(Z_t Z_u), Z = x x^H - I). T is a sum over the entries of E; where snapshots are correlated in time, those between
signals have another effective L than those with noise (`Lengths`), and each sum takes its own.

What is fitted to the batch makes T smaller, by d on average:

* one model of as many parameters d: mean and variance are less by d / N^2 of them. One with a normal prior of its own
  counts for what the batch tells of it, or for none;
* samples of a posterior: with Ebar their mean, d = L mean ||E_s - Ebar||^2 is what the batch has told, whatever the
  prior. L ||Ebar||^2 + d is the mean of T over the samples; a sample and the truth are exchangeable under the model, so
  its mean is N^2 exactly, and its variance that of T less the variance over samples.

The probability is of a Gamma variable of that mean and variance, which T is nearly: of the batches of a known model,
0.0010 to 0.0015 have one below 0.001 at L >= 200, and 0.003 at L = 4 to 20, where the tail is heavier.
"""

import math
from dataclasses import dataclass

import torch

from doamc.snapshots.effective_snapshots import Lengths

#: probability of so bad a fit below which estimates are doubtful
DOUBTFUL = 1e-3
MOST_LEARNT = 0.6  #: share of the variance of T that a batch may have told of


@dataclass(frozen=True)
class Misfit:
    """Of B observations: misfit (B,), mean 0 and standard deviation 1 on the model, and its probability (B,).

    ratio: (B,), T over its mean on the model.
    """

    misfit: torch.Tensor
    probability: torch.Tensor
    ratio: torch.Tensor

    @property
    def doubtful(self) -> torch.Tensor:
        """Whether the model cannot be what an observation came from, (B,) bool."""
        return self.probability < DOUBTFUL


def whitened(
    covariance: torch.Tensor,  # shape: (B, N, N)
    response: torch.Tensor,  # shape: (B, S, N, P), V of R = V V^H + s2 I
    noise_power: torch.Tensor,  # shape: (B, S)
) -> tuple[torch.Tensor, torch.Tensor]:
    """E (B, S, N, N) of S models of each observation, and the lower roots (B, S, N, N) of their covariances."""
    r = response @ response.mH
    r.diagonal(dim1=-2, dim2=-1).add_(noise_power[..., None])
    root, failed = torch.linalg.cholesky_ex(r)
    if failed.any():  # R is singular, or not known
        known = r.diagonal(dim1=-2, dim2=-1).real.sum(-1).isfinite()
        eye = torch.eye(r.shape[-1], dtype=r.dtype, device=r.device)
        stand_in = torch.where(known, 1.0, math.nan)[..., None, None] * eye
        root = torch.where((known & (failed == 0))[..., None, None], root, stand_in)
    half = torch.linalg.solve_triangular(root, covariance[:, None].expand_as(r), upper=False)
    e = torch.linalg.solve_triangular(root, half.mH, upper=False)
    e.diagonal(dim1=-2, dim2=-1).sub_(1.0)
    return e, root


def misfit_of_samples(
    covariance: torch.Tensor,  # shape: (B, N, N)
    response: torch.Tensor,  # shape: (B, S, N, P)
    noise_power: torch.Tensor,  # shape: (B, S)
    lengths: Lengths,
    assumed: torch.Tensor,  # shape: (B,), number of snapshots that the posterior took
) -> Misfit:
    """Misfit of samples of a posterior, S >= 2."""
    n, samples = response.shape[2], response.shape[1]
    e, root = whitened(covariance, response, noise_power)
    sizes = assumed[:, None] * torch.view_as_real(e).square().sum((2, 3, 4))
    if lengths.equal and bool((lengths.noise == assumed).all()):
        size = sizes.mean(1)
    else:
        mean = e.mean(1)
        told = assumed[:, None] * (e - mean[:, None]).abs().square().sum((2, 3))
        size = _size(mean, root[:, 0], response[:, 0], lengths) + told.sum(1) / (samples - 1)
    whole = _variance(n, lengths)
    left = whole - torch.minimum(sizes.var(1), MOST_LEARNT * whole)
    return _judged(size, n**2, left)


def misfit_of_fit(
    covariance: torch.Tensor,  # shape: (B, N, N)
    response: torch.Tensor,  # shape: (B, N, P)
    noise_power: torch.Tensor,  # shape: (B,)
    lengths: Lengths,
    fitted: float | torch.Tensor,  # number of parameters d, shape: (B,) where it differs
) -> Misfit:
    """Misfit of one fitted model."""
    n = response.shape[1]
    e, root = whitened(covariance, response[:, None], noise_power[:, None])
    left = 1 - torch.as_tensor(fitted, dtype=torch.float64, device=e.device).clamp_max(n**2 - 1) / n**2
    size = _size(e[:, 0], root[:, 0], response, lengths)
    return _judged(size, n**2 * left, _variance(n, lengths) * left)


def _size(e: torch.Tensor, root: torch.Tensor, response: torch.Tensor, lengths: Lengths) -> torch.Tensor:
    """T (B,) of residuals (B, N, N), the entries of signals and of noise with snapshots of their own."""
    total, noise = torch.view_as_real(e).square().sum((1, 2, 3)), lengths.noise
    if not response.shape[2] or lengths.equal:
        return noise * total
    basis = torch.linalg.qr(torch.linalg.solve_triangular(root, response, upper=False))[0]
    seen = e @ basis
    own, rows = (basis.mH @ seen).abs().square().sum((1, 2)), seen.abs().square().sum((1, 2))
    return noise * (total - 2 * rows + own) + 2 * lengths.cross * (rows - own) + lengths.signal * own


def _variance(n: int, lengths: Lengths) -> torch.Tensor:
    return 2 * n**2 + (4 * n**3 + 2 * n) / lengths.noise


def _judged(size: torch.Tensor, mean: float | torch.Tensor, variance: torch.Tensor) -> Misfit:
    finite, scale = size.clamp_max(1e300), mean / variance
    probability = torch.special.gammaincc(mean * scale, finite * scale)
    probability = torch.where(finite.isnan(), math.nan, probability)
    return Misfit((finite - mean) / variance.sqrt(), probability, finite / mean)
