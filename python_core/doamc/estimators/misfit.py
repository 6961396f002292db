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

import numpy as np
import torch

from doamc.estimators.powers import pseudo_inverse
from doamc.likelihood.backend import loops_for
from doamc.likelihood.estimator_loops import residual
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

    def to(self, device: torch.device) -> "Misfit":
        """The same on another device."""
        return self if self.ratio.device == device else Misfit(*(value.to(device) for value in vars(self).values()))


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
    left = whole - np.minimum(sizes.var(1).cpu().numpy(), MOST_LEARNT * whole)
    return _judged(size.cpu().numpy(), n**2, left).to(size.device)


def misfit_of_fit(
    covariance: torch.Tensor,  # shape: (B, N, N)
    response: torch.Tensor,  # shape: (B, N, P)
    noise_power: torch.Tensor,  # shape: (B,)
    lengths: Lengths,
    fitted: float | torch.Tensor,  # number of parameters d, shape: (B,) where it differs
    free: bool = False,
) -> Misfit:
    """Misfit of one fitted model.

    free: of sources of any correlation instead, R = V S V^H + s2 I of the likeliest S, and s2 where it is NaN.
    """
    n = response.shape[1]
    size = _size_of_fit(covariance, response, noise_power, lengths, free)
    return misfit_of_size(size.cpu().numpy(), n, lengths, fitted).to(size.device)


def misfit_of_size(
    size: np.ndarray,  # shape: (B,), T of one fitted model
    n_elements: int,
    lengths: Lengths,
    fitted: float | torch.Tensor,  # number of parameters d, shape: (B,) where it differs
) -> Misfit:
    """Misfit where T is known."""
    n = n_elements
    left = 1 - np.minimum(fitted.cpu().numpy() if torch.is_tensor(fitted) else fitted, n**2 - 1) / n**2
    return _judged(size, n**2 * left, _variance(n, lengths) * left)


def _size_of_fit(
    covariance: torch.Tensor, response: torch.Tensor, noise_power: torch.Tensor, lengths: Lengths, free: bool
) -> torch.Tensor:
    """T (B,) of one fitted model, by the compiled loops where all snapshots count alike."""
    loops = loops_for(covariance.device)
    if loops is not None and lengths.equal:
        r, v, s2 = (x.resolve_conj().numpy() for x in (covariance, response, noise_power.to(torch.float64)))
        total = residual(loops, r, v, s2, free)
        if np.isfinite(total).all():
            return lengths.noise * torch.from_numpy(total)
    if free:
        response, noise_power = likeliest(covariance, response, noise_power)
    e, root = whitened(covariance, response[:, None], noise_power[:, None])
    return _size(e[:, 0], root[:, 0], response, lengths)


def likeliest(
    covariance: torch.Tensor,  # shape: (B, N, N)
    response: torch.Tensor,  # shape: (B, N, P)
    noise_power: torch.Tensor,  # shape: (B,), NaN where not known
) -> tuple[torch.Tensor, torch.Tensor]:
    """V S^1/2 (B, N, P) and s2 (B,) of maximum likelihood given V: the reference of the compiled loops."""
    n, p = response.shape[1:]
    r, v, noise = (x.resolve_conj().cpu().numpy() for x in (covariance, response, noise_power))
    inverse = pseudo_inverse(np.nan_to_num(v))
    power = r.diagonal(axis1=1, axis2=2).real
    own = (power - (v * (inverse @ r).swapaxes(1, 2)).sum(2).real).sum(1) / (n - p)
    noise = np.maximum(np.where(np.isnan(noise), own, noise), 1e-12 * power.mean(1))
    values, vectors = np.linalg.eigh(inverse @ (r - noise[:, None, None] * np.eye(n)) @ inverse.conj().swapaxes(1, 2))
    part = v @ (vectors * np.sqrt(np.maximum(values, 0))[:, None])
    return torch.from_numpy(part).to(response.device), torch.from_numpy(noise).to(response.device)


def _size(e: torch.Tensor, root: torch.Tensor, response: torch.Tensor, lengths: Lengths) -> torch.Tensor:
    """T (B,) of residuals (B, N, N), the entries of signals and of noise with snapshots of their own."""
    total, noise = torch.view_as_real(e).square().sum((1, 2, 3)), lengths.noise
    if not response.shape[2] or lengths.equal:
        return noise * total
    basis = torch.linalg.qr(torch.linalg.solve_triangular(root, response, upper=False))[0]
    seen = e @ basis
    own, rows = (basis.mH @ seen).abs().square().sum((1, 2)), seen.abs().square().sum((1, 2))
    return noise * (total - 2 * rows + own) + 2 * lengths.cross * (rows - own) + lengths.signal * own


def _variance(n: int, lengths: Lengths) -> np.ndarray:
    return 2 * n**2 + (4 * n**3 + 2 * n) / lengths.noise.cpu().numpy()


def _judged(size: np.ndarray, mean: float | np.ndarray, variance: np.ndarray) -> Misfit:
    finite, scale = np.minimum(size, 1e300), mean / variance
    probability = torch.special.gammaincc(torch.from_numpy(mean * scale), torch.from_numpy(scale * finite))
    return Misfit(torch.from_numpy((finite - mean) / np.sqrt(variance)), probability, torch.from_numpy(finite / mean))
