"""Block evidence: it never rises, has its closed form where there is one, and its shape is the coupling."""

import math

import pytest
import torch

from doamc.arrays.steering import steering
from doamc.routes.block_sbl import (
    block_spans,
    coefficients,
    learn,
    merged_peaks,
    prior_shape,
)
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import observed


def cost(spans, covariance, state):
    """Minus the log evidence of a state, log det R + tr R^-1 R_hat, in nats a snapshot."""
    colored = state.gamma[..., None, None] * (spans @ state.shape[:, None])
    r = (colored @ spans.mH).sum(1) + state.noise[:, None, None] * torch.eye(covariance.shape[-1])
    return torch.logdet(r).real + torch.linalg.solve(r, covariance).diagonal(dim1=1, dim2=2).real.sum(1)


@pytest.mark.parametrize("array", ["ula8", "uca5", "seed16"])
@pytest.mark.parametrize("known", [True, False])
def test_the_evidence_never_falls(array, known):
    spec = load_spec(array)
    scene, batch = observed(spec, 6, 2, 50, 5.0)
    grid = torch.linspace(*spec.sector_rad, 41, dtype=torch.float64)[:-1]
    spans = block_spans(spec.family, steering(spec.positions, grid).mT)[None]
    noise = scene.noise_power if known else None
    state, values = None, []
    for _ in range(25):
        state = learn(spans, batch.covariance, prior_shape(spec.family), noise, 1, state=state)
        values.append(cost(spans, batch.covariance, state))
    fall = torch.stack(values).diff(dim=0)
    assert (fall <= 1e-9).all() and (fall.sum(0) < -0.01).all()


def test_orthogonal_atoms_have_their_powers_in_closed_form():
    """With orthogonal atoms |d|^2 = N and known noise: gamma = max(0, d^H R d / N^2 - s2 / N)."""
    n = 6
    k = torch.arange(n, dtype=torch.float64)
    atoms = torch.exp(2j * math.pi * k[:, None] * k / n)  # a column an atom
    power = torch.tensor([2.0, 0.0, 0.5, 0.0, 0.01, 0.0], dtype=torch.complex128)
    covariance = (atoms * power) @ atoms.mH + 0.2 * torch.eye(n)
    covariance = covariance + 0.05 * (atoms[:, 1:2] @ atoms[:, 1:2].mH) / n
    one = torch.ones(1, 1, dtype=torch.complex128)
    state = learn(atoms.mT[None, :, :, None], covariance[None], one, torch.tensor([0.3]).double(), 4000, False)
    wanted = ((atoms.conj() * (covariance @ atoms)).sum(0).real / n**2 - 0.3 / n).clamp_min(0)
    assert torch.allclose(state.gamma[0], wanted, atol=1e-4)


@pytest.mark.parametrize("array", ["ula8", "uca5", "seed16"])
def test_the_leading_eigenvector_of_the_shape_is_the_coupling(array):
    family = load_spec(array).family
    theta = family.draw((4,), torch.Generator().manual_seed(1))
    c = family.complex(theta)
    c = torch.cat([torch.ones(4, 1), c] + ([c.conj()] if family.hermitian else []), 1)
    shape = c[:, :, None] @ c[:, None].conj() + 1e-3 * torch.eye(c.shape[1])
    assert torch.allclose(coefficients(family, shape), theta, atol=2e-3)


def test_a_block_spans_what_the_coupled_direction_can_be():
    """C a = T c for every member of the family."""
    for array in ("ula8", "seed16"):
        spec = load_spec(array)
        theta = spec.family.draw((1,), torch.Generator().manual_seed(2))
        a = steering(spec.positions, torch.tensor([0.3], dtype=torch.float64))[:, 0]
        c = spec.family.complex(theta)[0]
        c = torch.cat([torch.ones(1), c] + ([c.conj()] if spec.family.hermitian else []))
        assert torch.allclose(block_spans(spec.family, a) @ c, spec.family.matrix(theta)[0] @ a, atol=1e-12)


def test_neighbouring_spikes_are_one_direction():
    grid = torch.deg2rad(torch.arange(0.0, 360.0, 2.0, dtype=torch.float64))
    gamma = torch.zeros(1, 180, dtype=torch.float64)
    gamma[0, 10], gamma[0, 11], gamma[0, 179], gamma[0, 0] = 3.0, 1.0, 0.5, 0.5
    found = torch.rad2deg(merged_peaks(gamma, grid, 2, math.radians(10), True))[0]
    assert found.tolist() == pytest.approx([20.5, 359.0], abs=1e-9)  # centres of power, also across the seam
