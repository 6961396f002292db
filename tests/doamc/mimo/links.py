"""Small links, and the paper's equations written out with Kronecker products."""

import torch

from doamc.arrays import steering
from doamc.mimo.channel import Link, Rays, draw_rays
from doamc.mimo.link_end import LinkEnd
from doamc.mimo.sounding import Sounding, phase_shifters
from doamc.spec import parse_spec
from tests.doamc.helpers.scenes import edited_spec

TABLE = {
    "geometry": {"kind": "ula", "elements": 6, "spacing_wavelengths": 0.5},
    "sector": {"azimuth_deg": [-60.0, 60.0], "min_separation_deg": 20.0},
    "coupling": {"family": "symmetric-toeplitz", "magnitude": [[0.2, 0.35], [0.08, 0.15]]},
    "sources": {"count": [1, 3], "power_db": [-3.0, 0.0]},
}


def spec(name: str, elements: int = 6):
    return parse_spec({**TABLE, "name": name, "geometry": {**TABLE["geometry"], "elements": elements}})


def small_link(orders_rx: int | None = 0, orders_tx: int | None = 0) -> Link:
    """Six receiving and seven transmitting elements: unequal, so that a swap of the ends shows."""
    return Link(LinkEnd(spec("rx", 6), orders_rx), LinkEnd(spec("tx", 7), orders_tx))


def elevated_link(orders_rx: int | None = 0, orders_tx: int | None = 0) -> Link:
    """A panel of 3 x 3 elements receives what a circle of six sends: both with elevations, and different."""
    panel = edited_spec("panel16", geometry={"rows": 3, "columns": 3},
                        sector={"min_separation_deg": 25.0},
                        coupling={"lags": [[0, 1], [1, 0]], "magnitude": [[0.15, 0.3], [0.1, 0.2]]})  # fmt: skip
    circle = edited_spec(
        "dome8", geometry={"elements": 6, "radius_wavelengths": 0.5}, sector={"elevation_deg": [15.0, 70.0]}
    )
    return Link(LinkEnd(panel, orders_rx), LinkEnd(circle, orders_tx))


def drawn(link: Link, seed: int, batch=2, paths=2, carriers=3, symbols=24, shared=True, directional=0.3):
    """Rays and beams: (Rays, Sounding)."""
    generator = torch.Generator().manual_seed(seed)
    rays = draw_rays(link, batch, paths, carriers, 1.0, directional, generator)
    return rays, phase_shifters(link, symbols, 1 if shared else carriers, generator)


def kron(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Kronecker product of two matrices, from its definition by blocks."""
    return torch.cat([torch.cat([x * b for x in row], 1) for row in a], 0)


def khatri_rao(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Column by column Kronecker product."""
    return torch.stack([kron(x[:, None], y[:, None])[:, 0] for x, y in zip(a.T, b.T, strict=True)], 1)


def direct_psi(link: Link, rays: Rays, sounding: Sounding, b: int, s: int) -> torch.Tensor:
    """Psi^s as the last line before eq. (3) has it: a row of beams, then couplings, then array factors."""

    def stacked(end: LinkEnd, azimuth, theta):
        c = end.matrices(azimuth, theta)
        a = steering(end.spec.positions, azimuth)
        return torch.cat(list(c), 1), torch.block_diag(*[column[:, None] for column in a.T])

    c_r, a_r = stacked(link.rx, rays.azimuth_rx[b], rays.theta_rx[b])
    c_t, a_t = stacked(link.tx, rays.azimuth_tx[b], rays.theta_tx[b])
    s = 0 if sounding.shared else s
    beams = torch.cat(
        [kron(f[None], w.conj()[None]) for f, w in zip(sounding.beamformers[s], sounding.combiners[s], strict=True)]
    )
    return beams @ kron(c_t.conj(), c_r) @ khatri_rao(a_t.conj(), a_r)
