"""The evidence never gets worse, its figure is the definition's, and its minimum is stationary."""

import pytest
import torch

from doamc.mimo.evidence import Evidence, inverse_root


def problem(covariances: int, per_block: bool, seed: int = 0):
    """12 blocks of 3 unknowns seen through 20 symbols; two of the blocks are not zero and share a shape."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        re, im = torch.randn(2, *shape, dtype=torch.float64, generator=generator)
        return torch.complex(re, im)

    columns, shape, n = normal(covariances, 20, 12, 3), normal(3), 8 // covariances
    x = torch.zeros(covariances, 12, 3, n, dtype=torch.complex128)
    x[:, [2, 7]] = normal(covariances, 2, 1, n) * shape[:, None]
    received = torch.einsum("stgd,sgdn->stn", columns, x) + 0.1 * normal(covariances, 20, n)
    root = torch.eye(3, dtype=torch.complex128)
    return columns, received, root.expand(12, -1, -1) if per_block else root, shape


def evidence(columns, received, gamma, b, noise):
    """From the definition, with dense inverses."""
    sigma = torch.einsum("g,stgi,gij,sugj->stu", gamma.to(b.dtype), columns, b, columns.conj())
    sigma = sigma + noise * torch.eye(columns.shape[1])
    fit = torch.einsum("stn,stu,sun->", received.conj(), torch.linalg.inv(sigma), received).real
    return torch.linalg.slogdet(sigma)[1].mean() + fit / (len(received) * received.shape[2])


@pytest.mark.parametrize("covariances", [1, 4])
@pytest.mark.parametrize("per_block", [False, True])
@pytest.mark.parametrize("known_noise", [False, True])
def test_no_step_makes_it_worse(covariances, per_block, known_noise):
    columns, received, root, _ = problem(covariances, per_block)
    state = Evidence(columns, received, root)
    values = torch.tensor([state.step(i % 3 > 0, known_noise) for i in range(60)])
    assert values.diff().max() <= 1e-9 and values[-1] < values[0] - 5


@pytest.mark.parametrize("per_block", [False, True])
def test_its_figure_is_that_of_the_definition(per_block):
    columns, received, root, _ = problem(4, per_block)
    state = Evidence(columns, received, root)
    for _ in range(5):
        state.step(True)
    b = (state.root @ state.root.mH).expand(12, -1, -1)
    expected = evidence(columns, received, state.gamma, b, state.noise_power)
    assert state.step(True) == pytest.approx(float(expected), abs=1e-5)


def test_the_limit_is_stationary_in_the_powers_and_the_noise():
    columns, received, root, _ = problem(1, False)
    state = Evidence(columns, received, root)
    for _ in range(2000):
        state.step(False)
    gamma = state.gamma.clone().requires_grad_(True)
    noise = torch.tensor(state.noise_power, dtype=torch.float64, requires_grad=True)
    b = (state.root @ state.root.mH).expand(12, -1, -1)
    slope, by_noise = torch.autograd.grad(evidence(columns, received, gamma, b, noise), (gamma, noise))
    slope, by_noise = slope.detach(), by_noise.detach()
    assert (slope * state.gamma).abs().max() < 1e-3  # in relative terms: active, or gone
    assert abs(float(by_noise) * state.noise_power) < 1e-3
    assert (slope > -1e-2).all()  # and none that has gone would help


def test_the_learnt_shape_is_that_of_the_blocks():
    columns, received, root, shape = problem(1, False)
    state = Evidence(columns, received, root)
    for _ in range(60):
        state.step(True)
    overlap = (state.shape().conj() * shape).sum().abs() / shape.norm()
    assert overlap > 0.999
    assert set(state.power().topk(2).indices.tolist()) == {2, 7}


def test_the_root_is_a_root_and_its_inverse():
    m = torch.randn(5, 4, 4, dtype=torch.complex128, generator=torch.Generator().manual_seed(1))
    m = m @ m.mH
    root, inverse = inverse_root(m)
    assert torch.allclose(root @ root, m, atol=1e-10)
    assert torch.allclose(root @ inverse, torch.eye(4, dtype=m.dtype).expand(5, -1, -1), atol=1e-9)
