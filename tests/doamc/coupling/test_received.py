"""A family heard through a receiver: its responses are G times those of the antennas, what is reported stays theirs."""

import pytest
import torch

from doamc.coupling.received import received
from doamc.spec import load_spec


def matrix(n, seed=3):
    parts = torch.randn(2, n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return torch.complex(*parts)


@pytest.mark.parametrize("array", ["ula8", "uca5", "kraken5", "dipole8"])
def test_responses_are_heard_and_the_coupling_is_that_of_the_antennas(array):
    spec = load_spec(array)
    own, g = spec.family, matrix(spec.n_elements)
    heard = received(own, g)
    theta = own.draw((4,), torch.Generator().manual_seed(1))
    azimuth = torch.tensor([-0.3, 0.8], dtype=torch.float64).expand(4, -1)
    v = own.response(theta, spec.positions, azimuth)
    assert torch.allclose(heard.response(theta, spec.positions, azimuth), g @ v)
    assert torch.equal(heard.matrix(theta), own.matrix(theta)) and torch.equal(heard.basis, own.basis)
    assert torch.allclose(heard.mean, g @ own.mean.to(g)) and torch.allclose(heard.patterns, g @ own.patterns.to(g))
    assert torch.allclose(heard.linear_basis, g @ own.linear_basis.to(g))
    for (share, kind, scale), (own_share, own_kind, own_scale) in zip(heard.kinds, own.kinds, strict=True):
        assert share == own_share and torch.equal(scale, own_scale)
        assert torch.allclose(kind.patterns, g @ own_kind.patterns.to(g))
    for heard_part, own_part in zip(heard.moments()[:2], own.moments()[:2], strict=True):
        assert torch.allclose(heard_part, g @ own_part)


def test_a_family_with_adjoint_patterns_is_refused():
    from doamc.coupling.families import make_family

    with pytest.raises(ValueError, match="Hermitian"):
        received(make_family("hermitian-toeplitz", 4, [[0.1, 0.4]], 30.0), matrix(4))
