"""Monte-Carlo trials of ``doamc mimo``: sound a link, estimate it with and without coupling, align the beams."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import torch

from doamc.angles import wrap_rad
from doamc.mimo.alignment import alignment_loss_db, best_beams
from doamc.mimo.bound import cramer_rao
from doamc.mimo.channel import Link, Rays, draw_rays, noise_power, reordered
from doamc.mimo.criterion import LinkModel
from doamc.mimo.ml import maximum_likelihood
from doamc.mimo.sbl import SblOptions, block_sbl
from doamc.mimo.sounding import phase_shifters, sound
from doamc.scenes.accuracy import coupling_gain_db, is_hit


def align_trials(
    link: Link, strength: float, directional: float, n_paths: int, n_symbols: int, n_subcarriers: int,
    snr_db: float, trials: int, seed: int, step_deg: float,
) -> dict[str, Any]:  # fmt: skip
    """Results at one coupling strength; the same paths, beams and noise at every strength for a seed.

    loss_*_db: one alignment loss a trial, for beams from true paths with C = I (``plain``), from paths fitted with
    C = I (``blind``), and from paths fitted with their coupling (``coupled``). hits_*: share of links with all
    directions at both ends within 2 degrees. rmse_*_deg: of the directions of hits. bound_deg: of all directions.
    coupling_gain_*_db: of either end.
    """
    generator = torch.Generator().manual_seed(seed)
    world = Link(replace(link.rx, orders=1), replace(link.tx, orders=1)) if directional else link
    rays = draw_rays(world, trials, n_paths, n_subcarriers, strength, directional, generator)
    sounding = phase_shifters(link, n_symbols, 1, generator)
    s2 = noise_power(snr_db)
    received = sound(world, rays, sounding, s2, generator)
    start = block_sbl(link, sounding, received, n_paths, None, SblOptions(step_deg=step_deg)).rays
    coupled = _matched(link, rays, maximum_likelihood(link, sounding, received, n_paths, start).rays)
    alone = replace(start, theta_rx=0 * start.theta_rx, theta_tx=0 * start.theta_tx)
    blind = maximum_likelihood(link, sounding, received, n_paths, alone, coupling_known=True).rays
    blind = _matched(link, rays, blind)
    truth = _in_terms_of(link, world, rays)
    plain = replace(truth, theta_rx=0 * truth.theta_rx, theta_tx=0 * truth.theta_tx)
    h = world.channel(rays)
    row: dict[str, Any] = {"strength": strength}
    for name, believed in (("plain", plain), ("blind", blind), ("coupled", coupled)):
        row[f"loss_{name}_db"] = alignment_loss_db(h, *best_beams(link.channel(believed))).tolist()
    for name, found in (("blind", blind), ("coupled", coupled)):
        row |= _errors(name, rays, found)
    bound = cramer_rao(LinkModel(link, sounding, n_paths), truth, s2)
    both = torch.cat([bound.azimuth_rx, bound.azimuth_tx], 1).rad2deg()
    row["bound_deg"] = both.square().mean().sqrt().item()
    for end in ("rx", "tx"):
        true, found_c = (
            getattr(one, end).matrices(getattr(r, f"azimuth_{end}"), getattr(r, f"theta_{end}")).flatten(0, 1)
            for one, r in ((world, rays), (link, coupled))
        )
        row[f"coupling_gain_{end}_db"] = coupling_gain_db(true, found_c)
    return row


def _in_terms_of(link: Link, world: Link, rays: Rays) -> Rays:
    """The true paths in the parameters of the estimated link: with a matrix for each path where it has one."""

    def theta(name: str) -> torch.Tensor:
        end, own = getattr(link, name), getattr(world, name)
        rows, azimuth = getattr(rays, f"theta_{name}"), getattr(rays, f"azimuth_{name}")
        return rows if end == own else end.spec.family.project(own.matrices(azimuth, rows))

    return replace(rays, theta_rx=theta("rx"), theta_tx=theta("tx"))


def _gap(rays: Rays, found: Rays) -> torch.Tensor:
    """Errors of all arrivals, then departures, in rad within half a turn, (B, 2 P)."""
    gap = torch.cat([found.azimuth_rx - rays.azimuth_rx, found.azimuth_tx - rays.azimuth_tx], 1)
    return wrap_rad(gap)


def _matched(link: Link, rays: Rays, found: Rays) -> Rays:
    """Found paths in the order that is nearest to the true ones, both ends together."""
    orders = torch.tensor(list(permutations(range(rays.n_paths)))).expand(len(rays.azimuth_rx), -1, -1)
    cost = [_gap(rays, reordered(link, found, orders[:, i])).square().sum(1) for i in range(orders.shape[1])]
    best = torch.stack(cost, 1).argmin(1)
    return reordered(link, found, orders[torch.arange(len(best)), best])


def _errors(name: str, rays: Rays, found: Rays) -> dict[str, float | None]:
    """Hits, and root mean square of their errors."""
    gap = _gap(rays, found)
    hit = is_hit(gap)
    rmse = gap.rad2deg()[hit].square().mean().sqrt().item() if hit.any() else None
    return {f"hits_{name}": hit.double().mean().item(), f"rmse_{name}_deg": rmse}
