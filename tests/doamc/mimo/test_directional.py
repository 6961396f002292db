"""Links of arrays whose specification has coupling that depends on direction."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from doamc.mimo.bound import cramer_rao, link_fisher
from doamc.mimo.channel import Link, Rays, draw_rays
from doamc.mimo.criterion import LinkLikelihood, LinkModel
from doamc.mimo.link_end import LinkEnd
from doamc.mimo.ml import maximum_likelihood
from doamc.mimo.sbl import SblOptions
from doamc.mimo.sounding import phase_shifters, sound
from doamc.spec import parse_spec
from tests.doamc.helpers.slopes import assert_slopes
from tests.doamc.mimo.links import TABLE

DRAWS, NOISE = 100, 1e-3


def end(name: str, elements: int, order: int) -> LinkEnd:
    coupling = TABLE["coupling"] | {"directional": {"order": order, "spread_db": -6.0}}
    geometry = TABLE["geometry"] | {"elements": elements}
    return LinkEnd.of(parse_spec({**TABLE, "name": name, "geometry": geometry, "coupling": coupling}))


@cache
def link(order: int = 1) -> Link:
    return Link(end("rx", 6, order), end("tx", 7, order))


def drawn(seed: int, batch: int, symbols: int = 48):
    generator = torch.Generator().manual_seed(seed)
    rays = draw_rays(link(), batch, 2, 4, generator=generator)
    return rays, phase_shifters(link(), symbols, 1, generator)


def repeated(rays: Rays) -> Rays:
    """One channel many times."""
    return Rays(**{k: v if v is None else v.expand(DRAWS, *v.shape[1:]) for k, v in vars(rays).items()})


def test_an_end_is_the_series_of_its_specification():
    rx = link().rx
    assert (rx.orders, rx.n_rows(2)) == (1, 3) and end("x", 6, 0).orders == 0 and end("x", 6, 0).series is None
    rays, _ = drawn(1, 3)
    theta = rx.series.from_rows(rays.theta_rx)
    found = rx.matrices(rays.azimuth_rx, rays.theta_rx)
    assert torch.allclose(found, rx.series.matrices(theta, rays.azimuth_rx), atol=1e-15)
    u = rx.response(rays.azimuth_rx, rays.theta_rx)
    assert torch.allclose(u, rx.series.response(theta, rx.spec.positions, rays.azimuth_rx), atol=1e-14)


def test_rows_of_a_draw_are_those_of_the_prior():
    """r.m.s. of the second row over that of the first, 8000 numbers: known to 3 %."""
    rays = draw_rays(link(), 1000, 1, 1, generator=torch.Generator().manual_seed(1))
    size = rays.theta_rx.square().mean((0, 2)).sqrt()
    assert float(size[1] / size[0]) == pytest.approx(10 ** (-6 / 20), rel=0.08)


def test_the_bound_agrees_with_numerical_derivatives():
    """Two paths show two members of the family, the series has three: the prior makes up for it."""
    rays, sounding = drawn(2, 1)
    model = LinkModel(link(), sounding, 2)
    x = model.pack(rays)[0].numpy()

    def mean(x: np.ndarray) -> np.ndarray:
        psi = model.psi(torch.from_numpy(x)[None])[0]  # (1, T, P)
        return (psi @ rays.gains[0, :, :, None]).flatten().numpy()

    step = 1e-6
    slopes = np.stack([(mean(x + e) - mean(x - e)) / (2 * step) for e in step * np.eye(len(x))], 1)
    psi = model.psi(model.pack(rays))[0, 0].numpy()
    own = np.kron(np.eye(4), np.concatenate([psi, 1j * psi], 1))
    jacobian = np.concatenate([slopes, own], 1)
    fisher = 2 / NOISE * (jacobian.conj().T @ jacobian).real
    exact = link_fisher(model, rays, NOISE)[0].numpy()
    assert np.abs(exact - fisher).max() < 1e-6 * np.abs(fisher).max()
    place = np.arange(len(x))
    fisher[place, place] += model.precision.numpy()
    expected = np.sqrt(np.diag(np.linalg.inv(fisher)))
    found = cramer_rao(model, rays, NOISE)
    assert found.azimuth_rx[0].numpy() == pytest.approx(expected[:2], rel=1e-6)
    assert found.azimuth_tx[0].numpy() == pytest.approx(expected[2:4], rel=1e-6)


def test_the_criterion_knows_its_slopes():
    rays, sounding = drawn(3, 2)
    received = sound(link(), rays, sounding, NOISE, torch.Generator().manual_seed(4))
    criterion, index = LinkLikelihood(LinkModel(link(), sounding, 2), received), torch.arange(2)
    x = criterion.model.pack(rays) + 0.01
    assert_slopes(criterion, x, index)


def test_maximum_likelihood_is_at_the_bound_where_one_matrix_is_biased():
    """One link sounded 100 times, from C = I and 1 degree off; 400 errors of directions: 4 % standard error."""
    rays, sounding = drawn(21, 1)
    many = repeated(rays)
    received = sound(link(), many, sounding, NOISE, torch.Generator().manual_seed(4))
    bound = cramer_rao(LinkModel(link(), sounding, 2), rays, NOISE)

    def ratio(taken: Link) -> float:
        rows = [many.theta_rx[:, : taken.rx.n_rows(2)], many.theta_tx[:, : taken.tx.n_rows(2)]]
        start = replace(many, azimuth_rx=many.azimuth_rx + 0.017, theta_rx=0 * rows[0], theta_tx=0 * rows[1])
        e = maximum_likelihood(taken, sounding, received, 2, start).rays
        errors = [(getattr(e, n) - getattr(rays, n)) / getattr(bound, n) for n in ("azimuth_rx", "azimuth_tx")]
        return float(torch.cat(errors, 1).square().mean().sqrt())

    assert 0.85 < ratio(link()) < 1.15
    assert ratio(Link(replace(link().rx, orders=0), replace(link().tx, orders=0))) > 2


def test_from_its_own_start_paths_are_found():
    rays, sounding = drawn(23, 3)
    received = sound(link(), rays, sounding, 0.01, torch.Generator().manual_seed(4))
    e = maximum_likelihood(link(), sounding, received, 2, options=SblOptions(step_deg=8.0, iterations=20)).rays
    bound = cramer_rao(LinkModel(link(), sounding, 2), rays, 0.01)
    error = (e.azimuth_rx - rays.azimuth_rx) / bound.azimuth_rx
    assert error.abs().max() < 4  # 6 figures, normal: 4 sigma
    c, true = (link().rx.matrices(r.azimuth_rx, r.theta_rx) for r in (e, rays))
    eye = torch.eye(6, dtype=c.dtype)
    assert (c - true).abs().square().sum() < 0.03 * (true - eye).abs().square().sum()


def raised(order: int) -> LinkEnd:
    """A circle that hears elevations, whose series is one over the sphere."""
    sector = TABLE["sector"] | {"elevation_deg": [0.0, 40.0]}
    coupling = TABLE["coupling"] | {"directional": {"order": order, "spread_db": -6.0}}
    geometry = {"kind": "uca", "elements": 6, "radius_wavelengths": 0.5}
    table = {**TABLE, "name": "x", "sector": sector, "coupling": coupling, "geometry": geometry}
    return LinkEnd.of(parse_spec(table))


def test_with_elevations_it_is_a_series_over_the_sphere():
    """Columns as of the family, and their slopes by both angles and all rows as of automatic differentiation."""
    rx = raised(1)
    assert (rx.n_rows(2), rx.n_angles) == (4, 2)
    generator = torch.Generator().manual_seed(2)
    theta = rx.series.draw((2,), generator)
    rows = rx.series.rows(theta)
    azimuth = torch.tensor([[0.3, -0.5], [0.0, 0.9]], dtype=torch.float64)
    elevation = torch.tensor([[0.1, 0.5], [0.3, 0.6]], dtype=torch.float64)
    u, slopes, by_theta = rx.derivatives(azimuth, rows, elevation)
    assert torch.allclose(u, rx.series.response(theta, rx.spec.positions, azimuth, elevation), atol=1e-14)
    for part in (torch.real, torch.imag):
        exact = torch.autograd.functional.jacobian(
            lambda a, t, e, part=part: part(rx.response(a, t, e)), (azimuth, rows, elevation)
        )
        for b in range(2):
            for place, own in ((0, slopes[b, :, :2]), (2, slopes[b, :, 2:])):
                assert torch.allclose(exact[place][b, :, :, b], torch.diag_embed(part(own)), atol=1e-12)
            assert torch.allclose(exact[1][b, :, :, b].flatten(2), part(by_theta[b]), atol=1e-12)


def test_a_link_with_elevations_is_at_its_bound():
    """100 soundings of one link: 600 errors of six angles."""
    both = Link(raised(1), link().tx)
    generator = torch.Generator().manual_seed(5)
    rays = draw_rays(both, 1, 2, 4, generator=generator)
    sounding = phase_shifters(both, 64, 1, generator)
    many = repeated(rays)
    received = sound(both, many, sounding, NOISE, torch.Generator().manual_seed(4))
    start = replace(many, azimuth_rx=many.azimuth_rx + 0.01, theta_rx=0 * many.theta_rx, theta_tx=0 * many.theta_tx)
    found = maximum_likelihood(both, sounding, received, 2, start).rays
    bound = cramer_rao(LinkModel(both, sounding, 2), rays, NOISE)
    names = ("azimuth_rx", "azimuth_tx", "elevation_rx")
    error = torch.cat([(getattr(found, n) - getattr(rays, n)) / getattr(bound, n) for n in names], 1)
    assert 0.85 < float(error.square().mean().sqrt()) < 1.15
