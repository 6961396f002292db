"""Models beside that of the specification, fitted to a batch by Fisher scoring: what may be wrong with it.

    R = V (diag p + Z) V^H + K(u),   V = E(theta) a_ext(az, el),   of some of the channels, in any order

x = [azimuth (P), elevation (P or 0), log power (P), theta (K), Z (P (P - 1), real and imaginary parts), u of the
noise]. There are no walls: neither sector nor ranges of the specification hold. A drawn family keeps its normal prior.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch

from doamc.arrays.steering import steering, steering_derivative
from doamc.coupling.angular import angular_functions, angular_slopes, extended_steering
from doamc.coupling.directional import DirectionalFamily
from doamc.estimators.misfit import Misfit, misfit_of_fit
from doamc.estimators.noise_models import NoiseModel
from doamc.estimators.scoring import best_descent
from doamc.scenes.gaussian_likelihood import likelihood_derivatives
from doamc.snapshots.effective_snapshots import Lengths
from doamc.spec import ArraySpec

ITERATIONS = 15
SETTLED = 0.1  #: nats


@dataclass(frozen=True)
class Fitted:
    """The likeliest x (I, D), its misfit, and cost (I,): negative log likelihood and log(L) / 2 for each parameter."""

    x: torch.Tensor
    misfit: Misfit
    cost: torch.Tensor


@dataclass(frozen=True)
class Hypothesis:
    """One such model. coherent: whether Z is free. noise: one of `noise_models.KINDS`."""

    spec: ArraySpec
    n_sources: int
    coherent: bool = False
    noise: str = "equal"

    @property
    def sizes(self) -> list[int]:
        """Of the parts of x."""
        p = self.n_sources
        pairs = p * (p - 1) if self.coherent else 0
        return [p, self.n_heights, p, self.spec.family.n_parameters, pairs, self.noise_model.size]

    @property
    def n_heights(self) -> int:
        """Number of elevations: P, or none where the array has no elevations."""
        return self.n_sources if self.spec.elevated else 0

    @property
    def first_power(self) -> int:
        """Where the powers begin in x."""
        return self.n_sources + self.n_heights

    @property
    def first_theta(self) -> int:
        """Where the coupling begins in x."""
        return self.first_power + self.n_sources

    @property
    def fitted(self) -> int:
        """Number of parameters that have no prior, and are seen."""
        return sum(self.sizes) - self.spec.family.n_normal if self.n_sources else self.sizes[5]

    @cached_property
    def _patterns(self) -> tuple[torch.Tensor, torch.Tensor]:
        """E of parameters zero (N, J N), and its derivatives (K, N, J N)."""
        family = self.spec.family
        if isinstance(family, DirectionalFamily) and not family.angular.on_sphere:
            return family.extended  # on the sphere the mean alone, as its functions are those of azimuth here
        return (family.mean, family.patterns) if family.narrow else (family.centre, family.basis)

    @cached_property
    def noise_model(self) -> NoiseModel:
        """Of the noise."""
        return NoiseModel(self.noise, self.spec.positions)

    @cached_property
    def _pairs(self) -> torch.Tensor:
        return torch.triu_indices(self.n_sources, self.n_sources, 1)

    def response(self, x: torch.Tensor) -> torch.Tensor:
        """V (I, N, P)."""
        azimuth, elevation, _, theta, _, _ = x.split(self.sizes, 1)
        mean, patterns = self._patterns
        e = mean + torch.einsum("ik,knm->inm", theta.to(mean.dtype), patterns)
        tilt = elevation if self.n_heights else 0.0
        return e @ extended_steering(self.spec.positions, azimuth, mean.shape[1] // mean.shape[0], tilt)

    def source_covariance(self, x: torch.Tensor) -> torch.Tensor:
        """diag p + Z, (I, P, P)."""
        _, _, log_power, _, off, _ = x.split(self.sizes, 1)
        s = torch.diag_embed(log_power.exp()).to(torch.complex128)
        if self.coherent:
            re, im = off.chunk(2, 1)
            rows, columns = self._pairs
            s[:, rows, columns], s[:, columns, rows] = torch.complex(re, im), torch.complex(re, -im)
        return s

    def noise_covariance(self, x: torch.Tensor) -> torch.Tensor:
        """K (I, N, N)."""
        return self.noise_model.covariance(x.split(self.sizes, 1)[5])

    def covariance(self, x: torch.Tensor) -> torch.Tensor:
        """R (I, N, N)."""
        v = self.response(x)
        return v @ self.source_covariance(x) @ v.mH + self.noise_covariance(x).to(v.dtype)

    def derivatives(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """R (I, N, N) and dR/dx (I, D, N, N)."""
        azimuth, elevation, log_power, theta, _, u = x.split(self.sizes, 1)
        mean, patterns = self._patterns
        positions, blocks = self.spec.positions, mean.shape[1] // mean.shape[0]
        tilt = elevation if self.n_heights else 0.0
        a = steering(positions, azimuth, tilt).to(torch.complex128)
        slope, rise = (s.to(torch.complex128) for s in steering_derivative(positions, azimuth, tilt))
        g, dg = angular_functions(azimuth, blocks), angular_slopes(azimuth, blocks)
        extended = torch.cat([k[:, None] * a for k in g], 1)
        sloping = torch.cat([dk[:, None] * a + k[:, None] * slope for k, dk in zip(g, dg, strict=True)], 1)
        e = mean + torch.einsum("ik,knm->inm", theta.to(mean.dtype), patterns)
        v, dv, s = e @ extended, e @ sloping, self.source_covariance(x)
        right = s @ v.mH  # (I, P, N)
        noise, slopes = self.noise_model.derivatives(u)
        half = [
            dv.mT[..., None] * right[:, :, None],
            *([(e @ rise).mT[..., None] * right[:, :, None]] if self.n_heights else []),
            0.5 * log_power.exp()[..., None, None] * v.mT[..., None] * v.mH[:, :, None],
            (patterns @ extended[:, None]) @ right[:, None],
        ]
        if self.coherent:
            rows, columns = self._pairs
            cross = v.mT[:, rows, :, None] * v.mH[:, columns, None]
            half += [cross, 1j * cross]
        half.append(0.5 * slopes.to(v.dtype))
        stacked = torch.cat(half, 1)
        return v @ right + noise.to(v.dtype), stacked + stacked.mH

    def fit(
        self,
        covariance: torch.Tensor,  # shape: (N, N)
        lengths: Lengths,  # of one observation, each (1,)
        start: torch.Tensor,  # shape: (I, S, D), S starts of each choice of channels
        channels: torch.Tensor,  # shape: (I, M), element of each of M channels, in I ways
        streams: torch.Tensor | None = None,  # shape: (I, M), channel of the covariance that brings it, where another
    ) -> Fitted:
        """The likeliest x for each choice of channels."""
        streams = channels if streams is None else streams
        found = covariance[streams[:, :, None], streams[:, None]]
        length, family = float(lengths.cross), self.spec.family
        prior = torch.zeros(sum(self.sizes), sum(self.sizes), dtype=torch.float64)
        place = torch.arange(self.first_theta, self.first_theta + family.n_normal)
        prior[place, place] = 1.0
        prior[-self.sizes[5] :, -self.sizes[5] :] = self.noise_model.precision()

        def criterion(x: torch.Tensor, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            place = channels[index]
            r, dr = self.derivatives(x)
            item = torch.arange(len(x))[:, None, None]
            r = r[item, place[:, :, None], place[:, None]]
            dr = dr.movedim(1, 3)[item, place[:, :, None], place[:, None]].movedim(3, 1)
            value, gradient, curvature = likelihood_derivatives(r, dr, found[index])
            pull = x @ prior
            return length * value + 0.5 * (pull * x).sum(1), length * gradient + pull, length * curvature + prior

        p, k = self.n_sources, family.n_parameters
        longest = [0.2] * self.first_power + [0.7] * p + [0.3] * k
        longest += [1e3 * float(covariance.abs().max())] * self.sizes[4]
        steps = torch.tensor(longest + [1.0] * self.sizes[5], dtype=torch.float64)
        x, value, _ = best_descent(criterion, start, steps, start.shape[1], ITERATIONS, SETTLED)
        penalty = 0.5 * self.fitted * math.log(max(length, 1.0))
        return Fitted(x, self._misfit(x, found, channels, lengths), value + penalty)

    def _misfit(self, x: torch.Tensor, found: torch.Tensor, channels: torch.Tensor, lengths: Lengths) -> Misfit:
        values, vectors = torch.linalg.eigh(self.source_covariance(x))
        v = self.response(x) @ (vectors * values.clamp_min(0).sqrt()[:, None])
        item = torch.arange(len(x))[:, None]
        noise = self.noise_covariance(x)[item[..., None], channels[:, :, None], channels[:, None]]
        root = torch.linalg.cholesky_ex(noise)[0].to(v.dtype)  # its inverse makes noise of power 1
        v = torch.linalg.solve_triangular(root, v[item, channels], upper=False)
        half = torch.linalg.solve_triangular(root, found, upper=False)
        white = torch.linalg.solve_triangular(root, half.mH, upper=False)
        each = Lengths(*(value.expand(len(x)) for value in vars(lengths).values()))
        return misfit_of_fit(white, v, torch.ones(len(x), dtype=torch.float64), each, self.fitted)
