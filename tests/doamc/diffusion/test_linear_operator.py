"""H as matrix and as SVD: the same operator."""

import pytest
import torch

from doamc.diffusion.denoiser import GaussianDenoiser
from doamc.diffusion.grid import make_grid
from doamc.diffusion.guidance import Ddrm, guide
from doamc.diffusion.linear_operator import LinearOperator, stacked
from doamc.diffusion.samplers import ItemNoise, make_sampler, sample
from doamc.diffusion.schedules import make_schedule
from doamc.errors import SamplerError

G = torch.Generator().manual_seed(0)


@pytest.mark.parametrize("dtype", [torch.complex128, torch.float64])
@pytest.mark.parametrize(("m", "n", "rank"), [(3, 5, 3), (6, 4, 4), (4, 4, 2), (1, 6, 1)])
def test_matrix_and_svd_agree(m, n, rank, dtype):
    h = torch.randn(m, rank, dtype=dtype, generator=G) @ torch.randn(rank, n, dtype=dtype, generator=G)
    operator = LinearOperator.from_matrix(h)
    assert operator.rank == rank
    assert torch.allclose(operator.matrix, h, atol=1e-12)
    x, y = torch.randn(2, n, dtype=dtype, generator=G), torch.randn(2, m, dtype=dtype, generator=G)
    assert torch.allclose(operator.apply(x), torch.stack([h @ v for v in x]), atol=1e-12)
    assert torch.allclose(operator.observed(operator.apply(x)), operator.s * operator.spectral(x), atol=1e-12)
    z = torch.randn(2, rank, dtype=dtype, generator=G)
    inner = [
        (operator.from_spectral(z).conj() * x).sum(),
        (z.conj() * operator.spectral(x)).sum(),
    ]  # adjoints of each other
    assert torch.allclose(inner[0], inner[1], atol=1e-12)
    assert operator.observed(y).shape == (2, rank)


def test_live_elements_pick_channels():
    x = torch.randn(2, 5, dtype=torch.complex128, generator=G)
    assert torch.equal(LinearOperator.selection(5, [0, 3, 4]).apply(x), x[:, [0, 3, 4]])


def test_combiner_takes_the_hermitian_transpose():
    w, x = (torch.randn(*shape, dtype=torch.complex128, generator=G) for shape in ((5, 2), (1, 5)))
    assert torch.allclose(LinearOperator.combiner(w).apply(x)[0], w.conj().T @ x[0], atol=1e-12)


def test_beams_are_those_of_the_discrete_fourier_transform():
    x = torch.randn(1, 8, dtype=torch.complex128, generator=G)
    found = LinearOperator.beamspace(8, [0, 2, 5]).apply(x)
    assert torch.allclose(found, torch.fft.fft(x)[:, [0, 2, 5]] / 8**0.5, atol=1e-12)


def test_real_states_under_a_complex_operator():
    """Two real observations of half the noise each, whether y is complex or real; a bare call says what to do."""
    f = torch.fft.fft(torch.eye(6, dtype=torch.complex128), norm="ortho")[:3]
    operator, x = LinearOperator.from_matrix(f), torch.randn(2, 6, dtype=torch.float64, generator=G)
    prior = GaussianDenoiser(torch.zeros(6, dtype=torch.float64), torch.eye(6, dtype=torch.float64))
    grid = make_grid("log-snr", make_schedule("vp"), 5)

    def found(h, y, power):
        noise = [ItemNoise([1, 2], (6,), torch.float64) for _ in range(2)]
        guided = sample(guide("projection", prior, h, y, power), make_sampler("ddim"), grid, noise[0])
        return torch.cat([guided, sample(prior, Ddrm(h, y, power), grid, noise[1])])

    for y in (operator.apply(x.to(f.dtype)), torch.ones(2, 3, dtype=torch.float64)):
        wanted = found(operator.of_real_states(), stacked(y), 0.05)
        assert torch.allclose(found(operator, y, 0.1), wanted, atol=1e-12)
        with pytest.raises(SamplerError, match="of_real_states"):
            guide("projection", prior, operator, y, 0.1)(x, 0.5, 0.5)


def test_what_is_no_observation_is_said():
    for call in (
        lambda: LinearOperator.from_matrix(torch.zeros(2, 3)),
        lambda: LinearOperator.from_matrix(torch.full((2, 3), torch.nan)),
        lambda: LinearOperator.selection(4, [0, 0]),
        lambda: LinearOperator.selection(4, [4]),
    ):
        with pytest.raises(SamplerError, match=r"finite|nothing|distinct"):
            call()
