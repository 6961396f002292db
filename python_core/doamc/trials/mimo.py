"""Monte-Carlo trials of ``doamc mimo``: sound a link, estimate it with and without coupling, align the beams."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import torch

from doamc.angles import wrap_rad
from doamc.mimo.alignment import alignment_loss_db, best_beams
from doamc.mimo.bound import LinkBound, cramer_rao
from doamc.mimo.channel import Link, Rays, draw_rays, noise_power, reordered
from doamc.mimo.criterion import LinkModel
from doamc.mimo.ml import maximum_likelihood
from doamc.mimo.sbl import SblOptions, block_sbl
from doamc.mimo.sounding import Sounding, phase_shifters, sound
from doamc.scenes.accuracy import coupling_gain_db, great_circle, is_hit

ENDS = ("rx", "tx")
_KINDS = ("rmse", "bound")


def sounded_links(
    link: Link, strength: float, directional: float, n_paths: int, n_symbols: int, n_subcarriers: int,
    snr_db: float, trials: int, seed: int,
) -> tuple[Link, Rays, Sounding, torch.Tensor]:  # fmt: skip
    """Simulated links: what they are, their paths, random beams of phase shifters, and symbols (B, S, T)."""
    generator = torch.Generator().manual_seed(seed)
    world = Link(replace(link.rx, orders=1), replace(link.tx, orders=1)) if directional else link
    rays = draw_rays(world, trials, n_paths, n_subcarriers, strength, directional, generator)
    sounding = phase_shifters(link, n_symbols, 1, generator)
    return world, rays, sounding, sound(world, rays, sounding, noise_power(snr_db), generator)


def align_trials(
    link: Link, strength: float, directional: float, n_paths: int, n_symbols: int, n_subcarriers: int,
    snr_db: float, trials: int, seed: int, step_deg: float,
) -> dict[str, Any]:  # fmt: skip
    """Results at one coupling strength; the same paths, beams and noise at every strength for a seed.

    A direction is an azimuth, at an end with elevations both angles, whose errors are great-circle angles.
    loss_*_db: one alignment loss a trial, for beams from true paths with C = I (``plain``), from paths fitted with
    C = I (``blind``), and from paths fitted with their coupling (``coupled``). hits_*: share of links with all
    directions at both ends within 2 degrees. rmse_*_deg: of the directions of hits. bound_deg: of all directions.
    coupling_gain_*_db: of either end. Where an end has elevations, of the hits of ``coupled`` alone: bound_hits_deg,
    and by angle rmse_azimuth_deg, bound_azimuth_deg, rmse_elevation_deg and bound_elevation_deg.
    """
    world, rays, sounding, received = sounded_links(
        link, strength, directional, n_paths, n_symbols, n_subcarriers, snr_db, trials, seed
    )
    s2 = noise_power(snr_db)
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
    both = torch.cat([_direction_bound(truth, bound, end) for end in ENDS], 1)
    row["bound_deg"] = both.rad2deg().square().mean().sqrt().item()
    if link.elevated:
        row |= _by_angle(truth, coupled, bound, is_hit(_gap(rays, coupled)))
    for end in ENDS:
        true, found_c = (
            getattr(one, end)
            .matrices(*(getattr(r, f"{name}_{end}") for name in ("azimuth", "theta", "elevation")))
            .flatten(0, 1)
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


def _direction_bound(rays: Rays, bound: LinkBound, end: str) -> torch.Tensor:
    """Bounds (B, P) of the errors of directions at an end, as `_gap` has them, rad."""
    (_, elevation), (azimuth, rise) = _angles(rays, end), _angles(bound, end)
    return azimuth if elevation is None or rise is None else torch.hypot(azimuth * elevation.cos(), rise)


def _by_angle(rays: Rays, found: Rays, bound: LinkBound, hit: torch.Tensor) -> dict[str, float | None]:
    """Root mean squares over hits (B,) of errors and bounds: of directions, of azimuths, of elevations."""
    whole: list[torch.Tensor] = []
    parts: dict[str, list[torch.Tensor]] = {f"{kind}_{a}": [] for a in ("azimuth", "elevation") for kind in _KINDS}
    for end in ENDS:
        whole.append(_direction_bound(rays, bound, end))
        for name, true, estimate, std in zip(
            ("azimuth", "elevation"), _angles(rays, end), _angles(found, end), _angles(bound, end), strict=True
        ):
            if true is not None and estimate is not None and std is not None:
                parts[f"rmse_{name}"].append(wrap_rad(estimate - true))
                parts[f"bound_{name}"].append(std)
    return {f"{name}_deg": _rms_deg(torch.cat(v, 1)[hit]) for name, v in (parts | {"bound_hits": whole}).items()}


def _angles(of: Rays | LinkBound, end: str) -> tuple[torch.Tensor, torch.Tensor | None]:
    return getattr(of, f"azimuth_{end}"), getattr(of, f"elevation_{end}")


def _gap(rays: Rays, found: Rays) -> torch.Tensor:
    """Errors of all arrivals, then departures, in rad, (B, 2 P): within half a turn, great-circle with elevations."""
    gaps = []
    for end in ENDS:
        (azimuth, elevation), (turned, raised) = _angles(rays, end), _angles(found, end)
        if elevation is None or raised is None:
            gaps.append(wrap_rad(turned - azimuth))
        else:
            gaps.append(great_circle((azimuth, elevation), (turned, raised)))
    return torch.cat(gaps, 1)


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
    return {f"hits_{name}": hit.double().mean().item(), f"rmse_{name}_deg": _rms_deg(gap[hit])}


def _rms_deg(angle: torch.Tensor) -> float | None:
    return angle.rad2deg().square().mean().sqrt().item() if angle.numel() else None
