"""The likelihood of a scene whose waveforms are known as far as messages tell, for many points of many observations.

y(t) ~ CN(V m(t), V D V^H + s2 I), D = diag(v), V = C A sqrt(P) diag(e^{j psi}). With W = V D^1/2, M = s2 I + W^H W and
C = (Y - V m)(Y - V m)^H / L, as in `likelihood.density`:

    log p = -L ((N - P) log s2 + log det M + (tr C - tr(M^-1 W^H C W)) / s2)

Y is seen through Y Y^H, m Y^H and m m^H only. Without messages (m = 0, D = I) it is the Gaussian likelihood.
"""

import math
from dataclasses import replace
from functools import cached_property

import torch

from doamc.denoising.messages import Messages
from doamc.denoising.turned_coordinates import TurnedCoordinates, turned_coordinates
from doamc.likelihood.density import ExactPosterior, eliminate
from doamc.likelihood.fisher import derivatives
from doamc.likelihood.tensors import TensorBackend


class MessagePosterior(ExactPosterior):
    """Log posterior of scenes and phases given messages; by tensor operations on every device.

    posterior: of the same observations for Gaussian waveforms. cross: m Y^H / L, (B, P, N); told: m m^H / L, (B, P, P).
    variance: (B, P), of the messages. length: (B,), effective L.
    """

    coordinates: TurnedCoordinates

    def __init__(
        self,
        posterior: ExactPosterior,
        cross: torch.Tensor,
        told: torch.Tensor,
        variance: torch.Tensor,
        length: torch.Tensor,
    ) -> None:
        noise = None if posterior.known_log_noise is None else posterior.known_log_noise[:, 0].exp()
        super().__init__(posterior.coordinates, posterior.covariance, length, noise)
        self.scenes = posterior
        self.coordinates = turned_coordinates(posterior.coordinates)
        self.constants = replace(self.constants, coordinates=self.coordinates)
        self._cross, self._told, self._root = cross, told, variance.sqrt()

    @classmethod
    def of(
        cls,
        posterior: ExactPosterior,
        y: torch.Tensor,  # shape: (B, N, L), at the level of the posterior
        messages: Messages,
        length: torch.Tensor,  # shape: (B,)
    ) -> "MessagePosterior":
        """That of snapshots."""
        m, count = messages.mean, y.shape[2]
        return cls(posterior, m @ y.mH / count, m @ m.mH / count, messages.variance, length)

    def select(self, index: slice | torch.Tensor) -> "MessagePosterior":
        """The posterior of some of the observations."""
        held = self._cross[index], self._told[index], self._root[index].square()
        return MessagePosterior(self.scenes.select(index), *held, self.snapshots[index, 0])

    @cached_property
    def backend(self) -> TensorBackend:
        """Tensor operations."""
        return TensorBackend(self)

    @cached_property
    def _products(self) -> torch.Tensor:
        """[I; Rhat; m Y^H] [mean, B_1, ..., B_K], (B, 2 N + P, (1 + K) J N)."""
        every = torch.cat([self.eye.expand_as(self.covariance), self.covariance, self._cross], 1)
        return every @ torch.cat([self.mean, *self.patterns.unflatten(0, (-1, len(self.eye)))], 1)

    def response(self, x: torch.Tensor) -> torch.Tensor:
        """V, (B, S, N, P), phases and all."""
        return self.scenes.response(self.coordinates.scene(x)) * self.coordinates.turn(x).permute(0, 2, 1)[:, :, None]

    def log_likelihood(self, x: torch.Tensor) -> torch.Tensor:
        """Log likelihood up to a constant of the data, (B, d + P, S) -> (B, S)."""
        amplitude, size, noise, azimuth, phase = self.coordinates.split(x)
        b, p, s = azimuth.shape
        a, n = self.steering(amplitude, azimuth) * self.coordinates.turn(x)[:, None], len(self.eye)
        stacked = self.coefficients(size, phase)[:, :, None, None] * a[:, None]
        w = torch.bmm(self._products, stacked.view(b, -1, p * s)).view(b, -1, p, s)
        both, cross = w[:, : 2 * n].view(b, 2, n, 1, p, s), w[:, 2 * n :]  # V and Rhat V; m Y^H V
        left = torch.conj_physical(both[:, :1]).view(b, 1, n, p, 1, s)
        gram, seen = (left * both).sum(2).unbind(1)  # V^H V and V^H Rhat V
        half = 0.5 * torch.einsum("bpq,bqrs->bprs", self._told, gram) - cross
        moved = (gram[:, :, :, None] * half[:, None]).sum(2)  # G (m m^H G / 2 - m Y^H V)
        inner = seen + moved + moved.conj().transpose(1, 2)  # V^H C V
        weight = self._root[:, :, None, None] * self._root[:, None, :, None]
        log_noise = self.log_noise(noise)
        s2 = log_noise.exp()
        log_det, trace = eliminate(torch.stack([gram, inner], 1) * weight[:, None], s2)
        whole = self._trace + 2 * half.diagonal(dim1=1, dim2=2).real.sum(2)
        return torch.mul(((whole - trace) / s2).add_(log_det).add_(log_noise, alpha=n - p), -self.snapshots)

    def information(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Gradient (B, S, d + P) and Fisher information (B, S, d + P, d + P), with the normal prior's precision.

        F_ij = L tr(Ri dR_i Ri dR_j) + 2 L Re tr(m m^H dV_i^H Ri dV_j) / L, R = V D V^H + s2 I, Ri its inverse.
        """
        scene, turn = self.coordinates.scene(x), self.coordinates.turn(x).permute(0, 2, 1)[:, :, None]
        v, d = derivatives(self.scenes, scene)
        v, d = v * turn, d * turn[:, :, None]
        b, s, n, p = v.shape
        d = torch.cat([d, 1j * v[:, :, None] * torch.eye(p, dtype=v.dtype, device=v.device)[:, None]], 2)
        s2 = self.noise_power(x).expand(b, s)[..., None, None]
        weighted = v * self._root.square()[:, None, None]
        ri = torch.linalg.inv(weighted @ v.mH + s2 * self.eye)
        told, cross = self._told[:, None], self._cross.mH[:, None]
        moved = v @ cross.mH
        error = self.covariance[:, None] - moved - moved.mH + v @ told @ v.mH  # C
        by = d @ weighted.mH[:, :, None]
        by = by + by.mH
        if self.coordinates.unknown_noise:
            by = torch.cat([by, (s2 * self.eye)[:, :, None].expand(b, s, 1, n, n)], 2)
            d = torch.cat([d, torch.zeros_like(d[:, :, :1])], 2)
        by = ri[:, :, None] @ by
        flat = by.flatten(3)
        f = (flat @ by.transpose(-1, -2).flatten(3).transpose(-1, -2)).real
        f = f + 2 * ((d @ told[:, :, None]).flatten(3).conj() @ (ri[:, :, None] @ d).flatten(3).transpose(-1, -2)).real
        g = (flat @ (ri @ error - self.eye).transpose(-1, -2).flatten(2)[..., None])[..., 0].real
        g = g + 2 * (d.flatten(3).conj() @ (ri @ (cross - v @ told)).flatten(2)[..., None])[..., 0].real
        order = self._order
        g, f = g[..., order], f.index_select(2, order).index_select(3, order)
        count = self.snapshots[..., None]
        g, f = g * count, f * count[..., None]
        own = self.coordinates.normal
        if self.coordinates.n_normal:
            g[..., own] -= x[:, own].transpose(1, 2)
            f[..., own, own] += torch.eye(self.coordinates.n_normal, dtype=f.dtype, device=f.device)
        return g, f

    @cached_property
    def _order(self) -> torch.Tensor:
        """Where the coordinates lie among [scene without noise, phases, noise]."""
        size, place = self.coordinates.size, self.coordinates.noise_place
        if not self.coordinates.unknown_noise:
            return torch.arange(size, device=self.covariance.device)
        order = [*range(place), size - 1, *range(place, size - 1)]
        return torch.tensor(order, device=self.covariance.device)

    def log_posterior(self, x: torch.Tensor) -> torch.Tensor:
        """Log density inside the prior's support, else -inf."""
        return torch.where(self.coordinates.inside(x), self.log_density(x), -math.inf)
