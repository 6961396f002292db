"""Columns u_p with a coupling that depends on direction, and their derivatives against autograd."""

import pytest
import torch

from doamc.errors import SpecificationError
from doamc.mimo.link_end import LinkEnd
from tests.doamc.mimo.links import drawn, small_link, spec


@pytest.mark.parametrize("orders", [0, 1, 2, None])
def test_derivatives_are_those_of_autograd(orders):
    end = LinkEnd(spec("x"), orders)
    azimuth = torch.tensor([[0.3, -0.5, 0.9], [0.0, 0.2, -1.0]], dtype=torch.float64)
    theta = end.spec.family.draw((2, end.n_rows(3)), torch.Generator().manual_seed(2))
    u, turn, by_theta = end.derivatives(azimuth, theta)
    assert by_theta.shape == (2, 6, 3, end.n_parameters(3))
    assert torch.equal(u, end.response(azimuth, theta))
    for part in (torch.real, torch.imag):
        slope_az, slope_theta = torch.autograd.functional.jacobian(
            lambda a, t, part=part: part(end.response(a, t)),
            (azimuth, theta),
        )
        for b in range(2):
            exact = torch.diag_embed(part(turn[b]))  # path p moves column p only
            assert torch.allclose(slope_az[b, :, :, b], exact, atol=1e-12)
            assert torch.allclose(slope_theta[b, :, :, b].flatten(2), part(by_theta[b]), atol=1e-12)


def test_each_path_may_have_its_own_matrix():
    end = small_link(None).rx
    rays, _ = drawn(small_link(None), 1, 2, 3)
    c = end.matrices(rays.azimuth_rx, rays.theta_rx)
    assert c.shape == (2, 3, 6, 6)
    assert torch.equal(c[:, 1], end.spec.family.matrix(rays.theta_rx[:, 1]))


def test_order_zero_is_one_matrix_for_all_paths():
    end = small_link().rx
    rays, _ = drawn(small_link(), 1, 2, 3)
    c = end.matrices(rays.azimuth_rx, rays.theta_rx)
    assert torch.equal(c[:, 0], c[:, 2]) and torch.equal(c[:, 0], end.spec.family.matrix(rays.theta_rx[:, 0]))


def test_negative_orders_are_refused():
    with pytest.raises(SpecificationError, match="found -1"):
        LinkEnd(spec("x"), -1)
