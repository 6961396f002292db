"""Linear-Gaussian problems whose posterior is known, and the exact law that a sampler gives to its samples.

With a Gaussian prior every guidance but the normalised one is affine in x_t, so a sampler is an affine map of the
noise it draws: run on unit vectors it shows its matrix, and the mean and covariance of its samples follow without
drawing any.
"""

from dataclasses import dataclass

import torch

from doamc.diffusion.denoiser import GaussianDenoiser
from doamc.diffusion.linear_operator import LinearOperator
from doamc.diffusion.samplers import sample


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
        return GaussianDenoiser(self.mean, self.covariance)

    def posterior(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and covariance of x_0 given y, by the textbook formula."""
        h = self.operator.matrix
        s = h @ self.covariance @ h.mH + self.noise_power * torch.eye(len(h), dtype=h.dtype)
        gain = torch.linalg.solve(s, h @ self.covariance).mH
        return self.mean + gain @ (self.y - h @ self.mean), self.covariance - gain @ h @ self.covariance


def random_problem(n=6, rank=3, noise_std=0.1, seed=0, rows=None, spread=1.0, dtype=torch.complex128) -> Problem:
    """Prior eigenvalues log-uniform within exp(+-spread) around 1 - scaled to unit mean power - and H with singular
    values in 0.5..1."""
    g = torch.Generator().manual_seed(seed)

    def unitary(k):
        return torch.linalg.qr(torch.randn(k, k, dtype=dtype, generator=g))[0]

    rows = rows or rank
    values = torch.exp(spread * (2 * torch.rand(n, dtype=torch.float64, generator=g) - 1))
    values = values / values.mean()
    u = unitary(n)
    covariance = (u * values) @ u.mH
    mean = 0.5 * torch.randn(n, dtype=dtype, generator=g)
    s = 0.5 + 0.5 * torch.rand(rank, dtype=torch.float64, generator=g)
    operator = LinearOperator(unitary(rows)[:, :rank], s.sort(descending=True)[0], unitary(n)[:, :rank])
    x = mean + u @ (values.sqrt() * torch.randn(n, dtype=dtype, generator=g))
    y = operator.apply(x) + noise_std * torch.randn(rows, dtype=dtype, generator=g)
    return Problem(mean, 0.5 * (covariance + covariance.mH), operator, y, noise_std**2)


def stacked(problem: Problem) -> Problem:
    """The same problem in real and imaginary parts, in units in which real noise has unit power: everything times
    sqrt 2.
    """

    def vector(v):
        return 2**0.5 * torch.cat([v.real, v.imag], -1)

    def matrix(m):
        return torch.cat([torch.cat([m.real, -m.imag], 1), torch.cat([m.imag, m.real], 1)])

    operator = LinearOperator.from_matrix(matrix(problem.operator.matrix))
    mean, y = vector(problem.mean), vector(problem.y)
    return Problem(mean, matrix(problem.covariance), operator, y, problem.noise_power)


class Given:
    """Noise that is told: a list of draws, each (B, N)."""

    def __init__(self, draws):
        self.draws = list(draws)

    def draw(self):
        return self.draws.pop(0)


class Counting:
    """Zero noise that counts how often it is drawn."""

    def __init__(self, n, dtype):
        self.shape, self.dtype, self.count = (1, n), dtype, 0

    def draw(self):
        self.count += 1
        return torch.zeros(self.shape, dtype=self.dtype)


def law(denoiser, sampler, grid, n, end="flow", dtype=torch.complex128, start=None):
    """Exact mean (N,) and covariance (N, N) of the samples; the map must be affine, which is checked.

    start: mean (N,) and factor (N, N) of the state at the first point; by default sigma_0 times white noise.
    """
    mean, factor = start or (torch.zeros(n, dtype=dtype), grid.sigma[0] * torch.eye(n, dtype=dtype))

    def run(first, noise):
        return sample(denoiser, sampler, grid, noise, mean + first @ factor.mT, end)

    zero = Counting(n, dtype)
    middle = run(torch.zeros(1, n, dtype=dtype), zero)[0]
    size = (zero.count + 1) * n
    basis = torch.eye(size, dtype=dtype).reshape(size, zero.count + 1, n)
    columns = run(basis[:, 0], Given(basis.unbind(1)[1:])) - middle
    twice = run(2 * basis[:1, 0], Given((2 * basis[:1]).unbind(1)[1:])) - middle
    assert torch.allclose(twice, 2 * columns[:1], atol=1e-8), "not an affine map"
    return middle, columns.mT @ columns.conj()


def kl(mean_p, cov_p, mean_q, cov_q) -> float:
    """KL(p || q) in nats between Gaussians, circular where complex."""
    half = 1.0 if cov_p.is_complex() else 0.5
    ratio = torch.linalg.solve(cov_q, cov_p)
    d = (mean_p - mean_q)[:, None]
    quadratic = (d.mH @ torch.linalg.solve(cov_q, d)).real.item()
    log_det = torch.linalg.slogdet(cov_q)[1] - torch.linalg.slogdet(cov_p)[1]
    return half * float(log_det - len(mean_p) + ratio.diagonal().real.sum() + quadratic)
