"""Links whose ends have elevations: derivatives, bound, which pairs are tried, and what is found."""

import math
from dataclasses import replace

import pytest
import torch

from doamc.errors import EstimatorError
from doamc.mimo.blocks import block_dictionary, prior_scale
from doamc.mimo.bound import cramer_rao, link_fisher
from doamc.mimo.channel import Link, noise_power
from doamc.mimo.criterion import LinkLikelihood, LinkModel
from doamc.mimo.link_end import LinkEnd
from doamc.mimo.link_estimate import with_gains
from doamc.mimo.ml import maximum_likelihood
from doamc.mimo.pair_grid import EndGrid, highest_pairs
from doamc.mimo.sbl import SblOptions, block_sbl
from doamc.mimo.sounding import sound
from doamc.mimo.working_set import WorkingSet
from doamc.scenes.accuracy import great_circle
from doamc.spec import load_spec
from doamc.trials.mimo import align_trials
from tests.doamc.mimo.links import drawn, elevated_link, small_link

LINK = elevated_link()
MIXED = Link(LINK.rx, small_link().tx)


@pytest.mark.parametrize("orders", [0, 1, None])
def test_derivatives_of_columns_are_those_of_autograd(orders):
    end = elevated_link(orders).rx
    azimuth, elevation = torch.tensor([[[0.3, -0.5]], [[0.4, -0.1]]], dtype=torch.float64)
    theta = end.spec.family.draw((1, end.n_rows(2)), torch.Generator().manual_seed(2))
    u, turn, _ = end.derivatives(azimuth, theta, elevation)
    assert turn.shape == (1, 9, 4) and torch.equal(u, end.response(azimuth, theta, elevation))
    for part in (torch.real, torch.imag):
        slopes = torch.autograd.functional.jacobian(
            lambda a, e, part=part: part(end.response(a, theta, e)), (azimuth, elevation)
        )
        for slope, own in zip(slopes, turn.split(2, -1), strict=True):
            assert torch.allclose(slope[0, :, :, 0], torch.diag_embed(part(own[0])), atol=1e-12)


@pytest.mark.parametrize("link", [LINK, MIXED, Link(MIXED.tx, LINK.rx)], ids=["both", "rx", "tx"])
@pytest.mark.parametrize("shared", [True, False])
def test_the_gradient_and_the_jacobian_are_those_of_autograd(link, shared):
    rays, sounding = drawn(link, 7, 2, 2, 3, 30, shared)
    model, g = LinkModel(link, sounding, 2), torch.Generator().manual_seed(3)
    received = sound(link, rays, sounding, 0.05, g)
    x = model.pack(rays)
    assert x.shape[1] == sum(model.sizes) and torch.equal(model.pack(model.unpack(x, rays.gains)), x)
    x = (x + 0.05 * torch.randn(x.shape, dtype=x.dtype, generator=g)).requires_grad_(True)
    value, gradient, _ = LinkLikelihood(model, received)(x, torch.arange(2))
    (slope,) = torch.autograd.grad(value.sum(), x)
    assert torch.allclose(gradient, slope, rtol=1e-8, atol=1e-8 * float(slope.abs().max()))
    mean = torch.einsum("bstp,bsp->bst", model.psi(x).expand(-1, 3, -1, -1), rays.gains)
    x = x.detach()
    step = torch.randn(x.shape, dtype=x.dtype, generator=g)
    ahead, behind = (
        torch.einsum("bstp,bsp->bst", model.psi(x + s * step).expand(-1, 3, -1, -1), rays.gains) for s in (1e-6, -1e-6)
    )
    along = torch.einsum("bstd,bd->bst", model.derivatives(x, rays.gains), step.to(mean.dtype))
    assert torch.allclose(along, (ahead - behind) / 2e-6, atol=1e-6 * float(along.abs().max()))


def test_the_bound_has_both_angles_and_is_that_of_the_hessian():
    """With the noise at its mean (zero) half the Hessian of the squared residual over s2 is the Fisher information."""
    rays, sounding = drawn(LINK, 11, 1, 2, 2, 40)
    model, s2 = LinkModel(LINK, sounding, 2), 0.02
    clean, d = sound(LINK, rays, sounding, 0.0), sum(model.sizes)

    def loss(z):
        re, im = z[d:].unflatten(0, (2, 2, 2)).unbind(1)
        gains = torch.complex(re, im)[None]
        gap = clean - torch.einsum("bstp,bsp->bst", model.psi(z[None, :d]).expand(-1, 2, -1, -1), gains)
        return (gap * gap.conj()).real.sum() / s2

    z = torch.cat([model.pack(rays)[0], torch.stack([rays.gains[0].real, rays.gains[0].imag], 1).flatten()])
    hessian, fisher = torch.autograd.functional.hessian(loss, z), link_fisher(model, rays, s2)[0]
    assert torch.allclose(fisher, hessian, rtol=1e-7, atol=1e-7 * float(fisher.abs().max()))
    bound = cramer_rao(model, rays, s2)
    std = torch.linalg.inv(hessian).diagonal().sqrt()
    for k, name in enumerate(("azimuth_rx", "elevation_rx", "azimuth_tx", "elevation_tx")):
        assert torch.allclose(getattr(bound, name)[0], std[2 * k : 2 * k + 2], rtol=1e-5)


@pytest.mark.parametrize("link", [LINK, MIXED], ids=["both", "rx"])
def test_slopes_of_all_pairs_are_those_of_their_columns(link):
    """From the dictionary itself, at some pairs; of a known root that is not diagonal."""
    rays, sounding = drawn(link, 3, 1, 2, 2, 20, False)
    left = sound(link, rays, sounding, 0.1)[0][:, :, None]
    rows, columns = EndGrid(link.rx, 20.0), EndGrid(link.tx, 20.0)
    chosen = WorkingSet(link, sounding, rows, columns)
    g = torch.Generator().manual_seed(1)
    d = len(prior_scale(link))
    root = torch.complex(*torch.randn(2, d, d, dtype=torch.float64, generator=g))
    chosen.places = torch.randint(len(rows) * len(columns), (25,), generator=g).unique()
    columns_of = block_dictionary(link, sounding, chosen.pairs)
    want = torch.einsum("stgk,stn->sgkn", (columns_of @ root).conj(), left).abs().square().sum((0, 2, 3))
    scale = (columns_of.abs().square() * root.abs().square().sum(1)).sum((0, 1, 3))
    found = chosen.slopes(left, root).flatten()[chosen.places]
    assert torch.allclose(found, want / scale, rtol=1e-9)


def test_peaks_of_pairs_are_no_neighbours_and_a_beam_has_three_points():
    rows, columns = EndGrid(LinkEnd(load_spec("panel16")), 1.0), EndGrid(LinkEnd(load_spec("ula8")), 5.0)
    assert len(columns) == 25 and columns.neighbours.shape == (25, 3)
    beam = 0.886 / math.hypot(1.5, 1.5)
    assert beam / 4 < rows.step < beam / 3  # a finer one that is asked for is not taken: it would tell nothing more
    score = torch.rand(len(rows), len(columns), dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    places = highest_pairs(score, rows, columns, 5)
    for a in places.tolist():
        row, column = divmod(a, len(columns))
        near = score[rows.neighbours[row]][:, columns.neighbours[column]]
        assert score[row, column] == near.max()


def test_a_grid_that_is_too_fine_is_refused():
    ends = [LinkEnd(replace(load_spec("panel16").at(3.0), coupling=load_spec("panel16").coupling))] * 2
    _, sounding = drawn(Link(*ends), 1, 1, 1, 1, 4)
    with pytest.raises(EstimatorError, match="take a coarser grid"):
        WorkingSet(Link(*ends), sounding, EndGrid(ends[0], 1.0), EndGrid(ends[1], 1.0))


@pytest.mark.parametrize("link", [LINK, MIXED], ids=["both", "rx"])
def test_from_its_own_start_paths_are_found_at_the_bound(link):
    """30 dB: three links of two paths; errors in units of their bounds are normal, 4 sigma."""
    rays, sounding = drawn(link, 23, 3, 2, 4, 64)
    s2 = noise_power(30.0)
    received = sound(link, rays, sounding, s2, torch.Generator().manual_seed(4))
    start = block_sbl(link, sounding, received, 2, options=SblOptions(iterations=15)).rays
    e = maximum_likelihood(link, sounding, received, 2, start).rays
    bound = cramer_rao(LinkModel(link, sounding, 2), rays, s2)
    for name in ("azimuth_rx", "elevation_rx", "azimuth_tx", "elevation_tx"):
        if getattr(rays, name) is not None:
            assert ((getattr(e, name) - getattr(rays, name)) / getattr(bound, name)).abs().max() < 4, name


def test_elevations_fold_at_a_plane_and_turn_over_at_the_zenith():
    rays, sounding = drawn(LINK, 5, 1, 2, 2, 30)
    model, received = LinkModel(LINK, sounding, 2), sound(LINK, rays, sounding, 0.0)
    below = replace(rays, elevation_tx=-rays.elevation_tx)
    over = replace(rays, azimuth_tx=rays.azimuth_tx + math.pi, elevation_tx=math.pi - rays.elevation_tx)
    for same in (below, over):
        e = with_gains(model, model.pack(same), received, torch.zeros(1)).rays
        true, found = ((r.azimuth_tx, r.elevation_tx) for r in (rays, e))
        assert great_circle(true, found).max() < 1e-7 and (e.elevation_tx > 0).all()
        assert (e.azimuth_tx >= 0).all() and (e.azimuth_tx < 2 * math.pi).all()


def test_trials_tell_errors_and_bounds_by_angle():
    row = align_trials(LINK, 1.0, 0.0, 1, 32, 4, 25.0, 3, 5, 5.0)
    assert row["hits_coupled"] == 1.0 and sum(row["loss_coupled_db"]) < 0.2 * sum(row["loss_plain_db"])
    for angle in ("azimuth", "elevation"):  # six values each: twice the bound is beyond 5e-4 of such sets
        assert 0 < row[f"rmse_{angle}_deg"] < 2 * row[f"bound_{angle}_deg"]
    assert 0 < row["rmse_coupled_deg"] < 2 * row["bound_hits_deg"]
