"""The ray model, [Luo-Fung] eq. (1): H^s = sum_p alpha_p^s u_p v_p^H with u_p = C_R a_R, v_p = C_T a_T.

The paper writes one angle for both ends of a path; here a path has a direction of arrival and one of departure.
Gains differ from subcarrier to subcarrier, directions do not: the aperture is small against the bandwidth.
"""

import math
from dataclasses import dataclass

import torch

from doamc.mimo.link_end import LinkEnd
from doamc.scenes.prior import draw_azimuth


@dataclass(frozen=True)
class Rays:
    """Paths of a batch of channels.

    azimuth_rx, azimuth_tx: (B, P) rad, arrival and departure. gains: alpha, complex (B, S, P).
    theta_rx, theta_tx: real coupling parameters (B, Q, 2 K) of each end.
    """

    azimuth_rx: torch.Tensor
    azimuth_tx: torch.Tensor
    gains: torch.Tensor
    theta_rx: torch.Tensor
    theta_tx: torch.Tensor

    @property
    def n_paths(self) -> int:
        """Number of paths P."""
        return self.azimuth_rx.shape[-1]


@dataclass(frozen=True)
class Link:
    """Receiving and transmitting end."""

    rx: LinkEnd
    tx: LinkEnd

    def responses(self, rays: Rays) -> tuple[torch.Tensor, torch.Tensor]:
        """Columns u_p (B, N_R, P) and v_p (B, N_T, P)."""
        return (
            self.rx.response(rays.azimuth_rx, rays.theta_rx),
            self.tx.response(rays.azimuth_tx, rays.theta_tx),
        )

    def channel(self, rays: Rays) -> torch.Tensor:
        """Channel matrices H, (B, S, N_R, N_T); eq. (1)."""
        u, v = self.responses(rays)
        return torch.einsum("bip,bsp,bjp->bsij", u, rays.gains, v.conj())


def draw_rays(
    link: Link, batch: int, n_paths: int, n_subcarriers: int, strength: float = 1.0, directional: float = 0.0,
    generator: torch.Generator | None = None,
) -> Rays:  # fmt: skip
    """Random paths: directions and mean powers from the priors of both arrays, Rayleigh gains.

    strength: scales the coupling coefficients of the priors. directional: size of every Fourier row of theta beyond
    the first (the mean), relative to it; ends with a matrix for each path draw each of them from the prior.
    """

    def theta(end: LinkEnd) -> torch.Tensor:
        rows = end.spec.family.draw((batch, end.n_rows(n_paths)), generator)
        if end.orders is not None:
            rows = torch.cat([rows[:, :1], directional * rows[:, 1:]], 1)
        return strength * rows

    low, high = link.rx.spec.power_db
    power = 10 ** ((low + (high - low) * torch.rand(batch, 1, n_paths, dtype=torch.float64, generator=generator)) / 10)
    shape = (2, batch, n_subcarriers, n_paths)
    re, im = torch.randn(shape, dtype=torch.float64, generator=generator) * (power / 2).sqrt()
    arrival = draw_azimuth(link.rx.spec, batch, n_paths, generator)
    departure = draw_azimuth(link.tx.spec, batch, n_paths, generator)
    # departures in no order: which of them belongs to which arrival is part of the problem
    order = torch.rand(batch, n_paths, dtype=torch.float64, generator=generator).argsort(1)
    return Rays(arrival, departure.gather(1, order), torch.complex(re, im), theta(link.rx), theta(link.tx))


def reordered(link: Link, rays: Rays, order: torch.Tensor) -> Rays:
    """The same paths in another order (B, P), their own coupling matrices with them."""

    def theta(end: LinkEnd, rows: torch.Tensor) -> torch.Tensor:
        return rows.gather(1, order[..., None].expand_as(rows)) if end.orders is None else rows

    gains = rays.gains.gather(2, order[:, None].expand_as(rays.gains))
    return Rays(rays.azimuth_rx.gather(1, order), rays.azimuth_tx.gather(1, order), gains,
                theta(link.rx, rays.theta_rx), theta(link.tx, rays.theta_tx))  # fmt: skip


def noise_power(snr_db: float) -> float:
    """Noise power of one sounding measurement, for a path of 0 dB through random beams of unit norm."""
    return math.pow(10, -snr_db / 10)
