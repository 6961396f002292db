"""The block dictionary holds every coupling of the families, and a block shape gives the couplings back."""

import math

import pytest
import torch

from doamc.mimo.blocks import block_dictionary, grid, prior_scale, split_block
from doamc.mimo.channel import Link
from doamc.mimo.link_end import LinkEnd
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import edited_spec
from tests.doamc.mimo.links import drawn, small_link

LINKS = {
    "toeplitz": small_link(),
    "circle": Link(LinkEnd(load_spec("uca5")), LinkEnd(load_spec("ula4"))),
    "hermitian": Link(
        LinkEnd(edited_spec("seed16", geometry={"elements": 5}, sources={"count": [1, 3]})), small_link().tx
    ),
}


def coefficients(end: LinkEnd, theta: torch.Tensor) -> torch.Tensor:
    c = end.spec.family.complex(theta)
    return torch.cat([torch.ones(1, dtype=c.dtype), c] + ([c.conj()] if end.spec.family.hermitian else []))


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("shared", [True, False])
def test_a_block_with_the_shape_of_the_couplings_is_the_path(name, shared):
    link = LINKS[name]
    rays, sounding = drawn(link, 2, 1, 3, 2, 9, shared)
    dictionary = block_dictionary(link, sounding, torch.stack([rays.azimuth_rx[0], rays.azimuth_tx[0]], 1))
    c = [coefficients(end, t[0, 0]) for end, t in ((link.rx, rays.theta_rx), (link.tx, rays.theta_tx))]
    shape = torch.outer(c[0], c[1].conj()).flatten()
    assert dictionary.shape == (1 if shared else 2, 9, 3, len(shape))
    assert (dictionary @ shape - sounding.psi(*link.responses(rays))[0]).abs().max() < 1e-12


@pytest.mark.parametrize("name", LINKS)
def test_a_shape_gives_both_couplings_whatever_its_scale(name):
    link = LINKS[name]
    rays, _ = drawn(link, 3, 1, 1)
    c = [coefficients(end, t[0, 0]) for end, t in ((link.rx, rays.theta_rx), (link.tx, rays.theta_tx))]
    theta_rx, theta_tx = split_block(link, (0.3 - 2j) * torch.outer(c[0], c[1].conj()).flatten())
    assert torch.allclose(theta_rx, rays.theta_rx[0, 0], atol=1e-10)
    assert torch.allclose(theta_tx, rays.theta_tx[0, 0], atol=1e-10)


def test_the_prior_scale_is_the_root_mean_square_of_drawn_shapes():
    link = LINKS["hermitian"]
    theta = [e.spec.family.draw((20_000,), torch.Generator().manual_seed(1)) for e in (link.rx, link.tx)]
    c = [torch.stack([coefficients(e, t) for t in ts[:2000]]) for e, ts in zip((link.rx, link.tx), theta, strict=True)]
    drawn_scale = (c[0][:, :, None] * c[1].conj()[:, None]).flatten(1).abs().square().mean(0).sqrt()
    assert torch.allclose(prior_scale(link), drawn_scale, rtol=0.03)  # magnitudes vary by 40 %: 1 % a sigma


def test_a_grid_covers_its_sector_without_a_double_point():
    line, circle = grid(load_spec("ula8"), 7.0), grid(load_spec("uca5"), 7.0)
    assert line[0] == pytest.approx(-math.pi / 3) and line[-1] == pytest.approx(math.pi / 3)
    for points in (line, circle):
        assert points.diff().max() <= math.radians(7.0) + 1e-12
    assert len(circle) == 52 and circle[-1] + circle.diff()[0] == pytest.approx(2 * math.pi)
