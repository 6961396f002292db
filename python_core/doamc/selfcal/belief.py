"""A normal belief over the coupling in the whitened parameters z of a start prior, z ~ N(0, I).

Kept as information: precision = I + G and mean = precision^-1 h, where G and h are what batches added. Forgetting
shrinks G and h together, so the belief relaxes towards the start prior and never beyond it (stabilised forgetting,
[Kulhavy-Zarrop]).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import torch

from doamc.coupling.drawn import DrawnFamily


@dataclass(frozen=True)
class Belief:
    """start: the start prior, K patterns. gathered: (K, K), G. pull: (K,), h."""

    start: DrawnFamily
    gathered: torch.Tensor
    pull: torch.Tensor

    @property
    def sound(self) -> bool:
        """Whether it is a distribution at all: its precision is positive definite."""
        precision = self.gathered + torch.eye(len(self.pull), dtype=self.pull.dtype)
        return not torch.linalg.cholesky_ex(precision)[1] and bool(torch.isfinite(self.pull).all())

    @cached_property
    def root(self) -> torch.Tensor:
        """Lower Cholesky factor of the precision, (K, K)."""
        return torch.linalg.cholesky(self.gathered + torch.eye(len(self.pull), dtype=self.pull.dtype))

    @cached_property
    def mean(self) -> torch.Tensor:
        """Mean of z, (K,)."""
        return torch.cholesky_solve(self.pull[:, None], self.root)[:, 0]

    @cached_property
    def covariance_root(self) -> torch.Tensor:
        """A with covariance A A^T, (K, K): the inverse transpose of the root."""
        eye = torch.eye(len(self.pull), dtype=self.pull.dtype)
        return torch.linalg.solve_triangular(self.root, eye, upper=False).T

    @cached_property
    def family(self) -> DrawnFamily:
        """The belief as a family whose parameters are standard normal: z = mean + A zeta."""
        centre, patterns = self.start.mean, self.start.patterns
        turned = self.covariance_root.T.to(patterns.dtype) @ patterns.flatten(1)
        return replace(
            self.start, mean=response_matrix(self.start, self.mean), patterns=turned.unflatten(1, centre.shape)
        )

    @cached_property
    def coupling(self) -> torch.Tensor:
        """Coupling matrix of the mean, (N, N), mean diagonal 1."""
        c = self.family.centre
        return c / c.diagonal().mean()

    @cached_property
    def coupling_std(self) -> torch.Tensor:
        """R.m.s. deviation of its entries, (N, N), their common scale left out."""
        c = self.family.centre
        scale = c.diagonal().mean()
        moved = self.family.basis / scale
        own = moved.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * (c / scale)
        return (moved - own).abs().square().sum(0).sqrt()

    def forget(self, share: float) -> "Belief":
        """The belief with what was gathered weighted by share in 0..1."""
        return replace(self, gathered=share * self.gathered, pull=share * self.pull)

    def learn(self, information: torch.Tensor, mean: torch.Tensor) -> "Belief":
        """The belief with information (K, K) more, and its mean moved to a given one (K,)."""
        gathered = self.gathered + information
        return replace(self, gathered=gathered, pull=mean + gathered @ mean)

    def plus(self, gradient: torch.Tensor, information: torch.Tensor, z: torch.Tensor) -> "Belief":
        """The belief with a log likelihood more, given by its gradient (K,) and information (K, K) at z."""
        return replace(self, gathered=self.gathered + information, pull=self.pull + gradient + information @ z)


def initial_belief(start: DrawnFamily) -> Belief:
    """The start prior itself."""
    k = start.n_parameters
    return Belief(start, torch.zeros(k, k, dtype=torch.float64), torch.zeros(k, dtype=torch.float64))


def response_matrix(start: DrawnFamily, z: torch.Tensor) -> torch.Tensor:
    """E(z) = E_0 + sum_k z_k E_k, (N, J N), of parameters (K,)."""
    return start.mean + (z.to(start.patterns.dtype) @ start.patterns.flatten(1)).unflatten(0, start.mean.shape)
