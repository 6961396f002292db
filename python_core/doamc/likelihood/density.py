"""The exact Gaussian likelihood of a scene, in its coordinates, for many chains of many observations.

R = V V^H + s2 I with V = C A sqrt(P). With M = s2 I + V^H V (Woodbury, and the matrix determinant lemma):
log det R = (N - P) log s2 + log det M and tr(R^-1 Rhat) = (tr Rhat - tr(M^-1 V^H Rhat V)) / s2,
so nothing larger than P x P is inverted. log p(Rhat | scene) = -L (log det R + tr(R^-1 Rhat)) + const.

A step of a sampler is a few dozen small operations, and their number is what an estimate costs; V and Rhat V come
from one product [I; Rhat] [I, B_1, ..., B_K] ([1; c] x A sqrt(P)) whose left part is formed once.
"""

import math
from functools import cached_property

import torch

from doamc.coupling.angular import angular_functions, sphere_functions
from doamc.likelihood.backend import Backend, backend_of
from doamc.likelihood.constants import constants_of
from doamc.likelihood.coordinates import Coordinates, across
from doamc.likelihood.fisher import information
from doamc.likelihood.source_correlation import factor


class ExactPosterior:
    """Log posterior of a batch of observations; float64.

    covariance: (B, N, N) sample covariance. snapshots: (B,) effective L. noise_power: (B,) where known, else None.
    """

    def __init__(
        self,
        coordinates: Coordinates,
        covariance: torch.Tensor,
        snapshots: torch.Tensor,
        noise_power: torch.Tensor | None,
    ) -> None:
        self.coordinates, self.covariance = coordinates, covariance
        self.snapshots = snapshots.double()[:, None]
        self.constants = constants_of(coordinates, covariance.device)
        self.eye, self.mean, self.patterns = self.constants.eye, self.constants.mean, self.constants.patterns
        self.n_blocks, self.planar, self.wave = self.constants.n_blocks, self.constants.planar, self.constants.wave
        self.known_log_noise = None if noise_power is None else noise_power.double().log()[:, None]

    @cached_property
    def _product(self) -> torch.Tensor:
        """[I; Rhat] [mean, B_1, ..., B_K], (B, 2 N, (1 + K) J N)."""
        both = torch.cat([self.eye.expand_as(self.covariance), self.covariance], 1)
        return both @ torch.cat([self.mean, *self.patterns.unflatten(0, (-1, len(self.eye)))], 1)

    @cached_property
    def _trace(self) -> torch.Tensor:
        return self.covariance.diagonal(dim1=1, dim2=2).real.sum(1)[:, None]

    def select(self, index: slice | torch.Tensor) -> "ExactPosterior":
        """The posterior of some of the observations."""
        noise = None if self.known_log_noise is None else self.known_log_noise[index, 0].exp()
        return ExactPosterior(self.coordinates, self.covariance[index], self.snapshots[index, 0], noise)

    def replaced(self, coordinates: Coordinates, snapshots: torch.Tensor) -> "ExactPosterior":
        """The posterior within other walls, and for another effective number of snapshots (B,)."""
        noise = None if self.known_log_noise is None else self.known_log_noise[:, 0].exp()
        return ExactPosterior(coordinates, self.covariance, snapshots, noise)

    def log_noise(self, noise: torch.Tensor) -> torch.Tensor:
        """Logarithm of the noise power, (B, S), or (B, 1) where known, of the noise part of x."""
        return noise[:, 0] if self.known_log_noise is None else self.known_log_noise

    def noise_power(self, x: torch.Tensor) -> torch.Tensor:
        """Noise power (B, S), or (B, 1) where known."""
        return self.log_noise(self.coordinates.split(x)[2]).exp()

    def phase(self, azimuth: torch.Tensor, height: torch.Tensor | None = None) -> torch.Tensor:
        """Phases of the steering vectors, (B, P, S) -> (B, N, P, S); height: sines of elevations, where there are."""
        if not self.planar:
            return azimuth.sin()[:, None] * self.wave[:, :, None]
        b, p, s = azimuth.shape
        if height is not None:
            level = across(height)
            unit = torch.stack([level * azimuth.cos(), level * azimuth.sin(), height], 1)
            return (self.wave @ unit.view(b, 3, p * s)).view(b, -1, p, s)
        return (self.wave @ torch.stack([azimuth.cos(), azimuth.sin()], 1).view(b, 2, p * s)).view(b, -1, p, s)

    def steering(
        self, amplitude: torch.Tensor, azimuth: torch.Tensor, height: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Amplitudes times (extended) steering vectors, (B, J N, P, S)."""
        a = torch.polar(amplitude.exp()[:, None], self.phase(azimuth, height))
        if self.n_blocks == 1:
            return a
        g = self.functions(azimuth, height).transpose(0, 1)  # (B, J, P, S)
        return (g[:, :, None] * a[:, None]).flatten(1, 2)

    def functions(self, azimuth: torch.Tensor, height: torch.Tensor | None) -> torch.Tensor:
        """The functions of direction that the response is made of, (J, B, P, S)."""
        if height is None:
            return angular_functions(azimuth, self.n_blocks)
        return sphere_functions(azimuth, height, self.n_blocks)

    def coefficients(self, size: torch.Tensor, phase: torch.Tensor) -> torch.Tensor:
        """[1, c_1, ..., c_K] (and conjugates for a Hermitian family), (B, 1 + K', S)."""
        family = self.coordinates.spec.family
        c = family.coefficients(size, phase)
        one = torch.ones(1, 1, 1, dtype=c.dtype, device=c.device).expand(c.shape[0], 1, c.shape[2])
        return torch.cat([one, c, c[:, family.n_normal :].conj()] if family.hermitian else [one, c], 1)

    def response(self, x: torch.Tensor) -> torch.Tensor:
        """V = C A sqrt(P), times Gamma where sources may be coherent, (B, S, N, P)."""
        amplitude, size, _, azimuth, phase = self.coordinates.split(x)
        b, p, s = azimuth.shape
        a, n = self.steering(amplitude, azimuth, self.coordinates.heights(x)), len(self.eye)
        stacked = self.coefficients(size, phase)[:, :, None, None] * a[:, None]
        v = torch.bmm(self._product[:, :n], stacked.view(b, -1, p * s)).view(b, n, p, s)
        return self.mixed(x, v).permute(0, 3, 1, 2)

    def coupled(self, x: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        """E times (extended) columns a (B, J N, P, S), (B, N, P, S)."""
        _, size, _, _, phase = self.coordinates.split(x)
        b, _, p, s = a.shape
        n, stacked = len(self.eye), self.coefficients(size, phase)[:, :, None, None] * a[:, None]
        return torch.bmm(self._product[:, :n], stacked.view(b, -1, p * s)).view(b, n, p, s)

    def mixed(self, x: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """V Gamma of V (B, ..., P, S), where sources may be coherent; V where they are not."""
        if not self.coordinates.n_pairs:
            return v
        gamma = factor(*self.coordinates.split_correlation(x), self.coordinates.n_sources)
        shape = (len(gamma), *[1] * (v.ndim - 3), *gamma.shape[1:])
        return (v[..., :, None, :] * gamma.view(shape)).sum(-3)

    def log_likelihood(self, x: torch.Tensor) -> torch.Tensor:
        """Log likelihood up to a constant of the data, (B, d, S) -> (B, S); the prior's support is not checked."""
        amplitude, size, noise, azimuth, phase = self.coordinates.split(x)
        b, p, s = azimuth.shape
        a, n = self.steering(amplitude, azimuth, self.coordinates.heights(x)), len(self.eye)
        stacked = self.coefficients(size, phase)[:, :, None, None] * a[:, None]
        w = torch.bmm(self._product, stacked.view(b, -1, p * s)).view(b, 2, n, 1, p, s)
        w = self.mixed(x, w)
        left = torch.conj_physical(w[:, :1]).view(b, 1, n, p, 1, s)
        gram = (left * w).sum(2)  # (B, 2, P, P, S): V^H V and V^H Rhat V
        log_noise = self.log_noise(noise)
        s2 = log_noise.exp()
        log_det, trace = eliminate(gram, s2)
        return torch.mul((self._trace - trace).div_(s2).add_(log_det).add_(log_noise, alpha=n - p), -self.snapshots)

    def log_density(self, x: torch.Tensor) -> torch.Tensor:
        """Log likelihood and the normal part of the prior, (B, S); the support of the flat part is not checked."""
        value = self.log_likelihood(x)
        return value + self.coordinates.log_prior(x) if self.coordinates.n_normal else value

    def information(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Gradient (B, S, d) of the log density and Fisher information (B, S, d, d), by tensor operations."""
        return information(self, x)

    @cached_property
    def eigen(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Eigenvalues (B, N), ascending, and eigenvectors (B, N, N) of the sample covariances."""
        values, vectors = torch.linalg.eigh(self.covariance)
        return values, vectors

    @cached_property
    def backend(self) -> Backend:
        """What computes the inner loops of this posterior: compiled ones, or tensor operations."""
        return backend_of(self)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Log posterior up to a constant: the log density inside the prior's support, else -inf."""
        return self.backend.log_posterior(x)

    def log_posterior(self, x: torch.Tensor) -> torch.Tensor:
        """Log posterior by tensor operations: the reference of the compiled loop, and what runs on other devices."""
        return torch.where(self.coordinates.inside(x), self.log_density(x), -math.inf)


def eliminate(
    gram: torch.Tensor,  # shape: (B, 2, P, P, S): Hermitian M without the noise on its diagonal, and Hermitian Q
    s2: torch.Tensor,  # shape: (B, S) or (B, 1)
) -> tuple[torch.Tensor, torch.Tensor]:
    """log det(M + s2 I) and tr((M + s2 I)^-1 Q), each (B, S); closed form for P <= 2, else elimination of sources."""
    p = gram.shape[2]
    if p == 1:
        d = gram[:, 0, 0, 0].real + s2
        return d.log(), gram[:, 1, 0, 0].real / d
    if p == 2:
        # few views: indexing costs as much as arithmetic here
        real, imaginary = torch.view_as_real(gram).flatten(1, 3).unbind(-1)
        m0, m, _, m1, q0, q, _, q1 = real.unbind(1)
        f, g = imaginary[:, 1], imaginary[:, 5]
        m0, m1 = m0 + s2, m1 + s2
        det = (m0 * m1).addcmul_(m, m, value=-1).addcmul_(f, f, value=-1)
        trace = (m1 * q0).addcmul_(m0, q1).addcmul_(m, q, value=-2).addcmul_(f, g, value=-2)
        return det.log(), trace.div_(det)
    m, q = gram[:, 0], gram[:, 1]
    pivot = m[:, 0, 0].real + s2
    column = m[:, 1:, 0] / pivot[:, None]
    row = column.conj()[:, None]
    rest_m = m[:, 1:, 1:] - m[:, 1:, :1] * row
    head = q[:, 0, 0].real
    cross = column[:, :, None] * q[:, None, 0, 1:]
    rest_q = q[:, 1:, 1:] - cross - cross.conj().transpose(1, 2) + head[:, None, None] * column[:, :, None] * row
    log_det, trace = eliminate(torch.stack([rest_m, rest_q], 1), s2)
    return pivot.log() + log_det, head / pivot + trace
