"""Linear-Gaussian problems whose posterior is known, and the exact law that a sampler gives to its samples.

With a Gaussian prior every guidance but the normalised one is affine in x_t, so a sampler is an affine map of the
noise it draws: run on unit vectors it shows its matrix, and the mean and covariance of its samples follow without
drawing any.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from doamc.diffusion.denoiser import Denoiser, GaussianDenoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.linear_operator import LinearOperator
from doamc.diffusion.samplers import sample
from doamc.diffusion.samplers.base import Sampler
from doamc.diffusion.samplers.noise import Noise

DTYPE = torch.complex128


@dataclass(frozen=True)
class Problem:
    """x_0 ~ CN(mean, covariance), y = H x_0 + n."""

    mean: torch.Tensor
    covariance: torch.Tensor
    operator: LinearOperator
    y: torch.Tensor
    noise_power: float

    @property
    def denoiser(self) -> GaussianDenoiser:
        """The exact denoiser of the prior."""
        return GaussianDenoiser(self.mean, self.covariance)

    def posterior(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and covariance of x_0 given y, by the textbook formula."""
        h = self.operator.matrix
        s = h @ self.covariance @ h.mH + self.noise_power * torch.eye(len(h), dtype=h.dtype)
        gain = torch.linalg.solve(s, h @ self.covariance).mH
        return self.mean + gain @ (self.y - h @ self.mean), self.covariance - gain @ h @ self.covariance


def random_problem(
    n: int = 6, rank: int = 3, noise_std: float = 0.1, seed: int = 0, rows: int | None = None, spread: float = 1.0,
) -> Problem:  # fmt: skip
    """A problem of seeded random matrices.

    Prior eigenvalues are log-uniform within exp(+-spread) around 1, scaled to unit mean power; the singular values of H
    lie in 0.5..1.
    """
    g = torch.Generator().manual_seed(seed)

    def unitary(k: int) -> torch.Tensor:
        return torch.linalg.qr(torch.randn(k, k, dtype=DTYPE, generator=g))[0]

    rows = rows or rank
    values = torch.exp(spread * (2 * torch.rand(n, dtype=torch.float64, generator=g) - 1))
    values = values / values.mean()
    u = unitary(n)
    covariance = (u * values) @ u.mH
    mean = 0.5 * torch.randn(n, dtype=DTYPE, generator=g)
    s = 0.5 + 0.5 * torch.rand(rank, dtype=torch.float64, generator=g)
    operator = LinearOperator(unitary(rows)[:, :rank], s.sort(descending=True)[0], unitary(n)[:, :rank])
    x = mean + u @ (values.sqrt() * torch.randn(n, dtype=DTYPE, generator=g))
    y = operator.apply(x) + noise_std * torch.randn(rows, dtype=DTYPE, generator=g)
    return Problem(mean, 0.5 * (covariance + covariance.mH), operator, y, noise_std**2)


def stacked(problem: Problem) -> Problem:
    """The same problem in real and imaginary parts.

    Everything is multiplied by sqrt 2, so that real noise has unit power.
    """

    def vector(v: torch.Tensor) -> torch.Tensor:
        return 2**0.5 * torch.cat([v.real, v.imag], -1)

    def matrix(m: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.cat([m.real, -m.imag], 1), torch.cat([m.imag, m.real], 1)])

    operator = LinearOperator.from_matrix(matrix(problem.operator.matrix))
    mean, y = vector(problem.mean), vector(problem.y)
    return Problem(mean, matrix(problem.covariance), operator, y, problem.noise_power)


class Given:
    """Noise that is told: a list of draws, each (B, N)."""

    def __init__(self, draws: Iterable[torch.Tensor]) -> None:
        self.draws = list(draws)

    def draw(self) -> torch.Tensor:
        """The next draw."""
        return self.draws.pop(0)


class Counting:
    """Zero noise that counts how often it is drawn."""

    def __init__(self, n: int) -> None:
        self.shape, self.count = (1, n), 0

    def draw(self) -> torch.Tensor:
        """Zeros."""
        self.count += 1
        return torch.zeros(self.shape, dtype=DTYPE)


def law(
    denoiser: Denoiser, sampler: Sampler, grid: Grid, n: int, end: str = "flow",
    start: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Exact mean (N,) and covariance (N, N) of the samples; the map must be affine, which is checked.

    start: mean (N,) and factor (N, N) of the state at the first point; by default sigma_0 times white noise.
    """
    mean, factor = start or (torch.zeros(n, dtype=DTYPE), grid.sigma[0] * torch.eye(n, dtype=DTYPE))

    def run(first: torch.Tensor, noise: Noise) -> torch.Tensor:
        return sample(denoiser, sampler, grid, noise, mean + first @ factor.mT, end)

    zero = Counting(n)
    middle = run(torch.zeros(1, n, dtype=DTYPE), zero)[0]
    size = (zero.count + 1) * n
    basis = torch.eye(size, dtype=DTYPE).reshape(size, zero.count + 1, n)
    columns = run(basis[:, 0], Given(basis.unbind(1)[1:])) - middle
    twice = run(2 * basis[:1, 0], Given((2 * basis[:1]).unbind(1)[1:])) - middle
    assert torch.allclose(twice, 2 * columns[:1], atol=1e-8), "not an affine map"
    return middle, columns.mT @ columns.conj()


def kl(mean_p: torch.Tensor, cov_p: torch.Tensor, mean_q: torch.Tensor, cov_q: torch.Tensor) -> float:
    """KL(p || q) in nats between Gaussians, circular where complex."""
    half = 1.0 if cov_p.is_complex() else 0.5
    ratio = torch.linalg.solve(cov_q, cov_p)
    d = (mean_p - mean_q)[:, None]
    quadratic = (d.mH @ torch.linalg.solve(cov_q, d)).real.item()
    log_det = torch.linalg.slogdet(cov_q)[1] - torch.linalg.slogdet(cov_p)[1]
    return half * float(log_det - len(mean_p) + ratio.diagonal().real.sum() + quadratic)
