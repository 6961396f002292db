"""The ray model, [Luo-Fung] eq. (1): H^s = sum_p alpha_p^s u_p v_p^H with u_p = C_R a_R, v_p = C_T a_T.

The paper writes one angle for both ends of a path; here a path has a direction of arrival and one of departure.
Gains differ from subcarrier to subcarrier, directions do not: the aperture is small against the bandwidth.
"""

import math
from dataclasses import dataclass, replace

import torch

from doamc.mimo.link_end import LinkEnd
from doamc.scenes.directions import draw_directions
from doamc.scenes.prior import draw_azimuth


@dataclass(frozen=True)
class Rays:
    """Paths of a batch of channels.

    azimuth_rx, azimuth_tx: (B, P) rad, arrival and departure. gains: alpha, complex (B, S, P).
    theta_rx, theta_tx: real coupling parameters (B, Q, 2 K) of each end. elevation_rx, elevation_tx: (B, P) rad, None
    where the array of that end has no elevations.
    """

    azimuth_rx: torch.Tensor
    azimuth_tx: torch.Tensor
    gains: torch.Tensor
    theta_rx: torch.Tensor
    theta_tx: torch.Tensor
    elevation_rx: torch.Tensor | None = None
    elevation_tx: torch.Tensor | None = None

    def select(self, index: torch.Tensor | slice) -> "Rays":
        """Some of the channels."""
        return replace(self, **{k: v[index] for k, v in vars(self).items() if v is not None})

    @property
    def n_paths(self) -> int:
        """Number of paths P."""
        return self.azimuth_rx.shape[-1]


@dataclass(frozen=True)
class Link:
    """Receiving and transmitting end."""

    rx: LinkEnd
    tx: LinkEnd

    @property
    def elevated(self) -> bool:
        """Whether an end has elevations."""
        return self.rx.spec.elevated or self.tx.spec.elevated

    def responses(self, rays: Rays) -> tuple[torch.Tensor, torch.Tensor]:
        """Columns u_p (B, N_R, P) and v_p (B, N_T, P)."""
        return (
            self.rx.response(rays.azimuth_rx, rays.theta_rx, rays.elevation_rx),
            self.tx.response(rays.azimuth_tx, rays.theta_tx, rays.elevation_tx),
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
    the first (the mean), relative to it; ends with a matrix for each path draw each of them from the prior, and those
    of a specification with a series draw all from its prior.
    """

    def theta(end: LinkEnd) -> torch.Tensor:
        if end.series is not None:
            return strength * end.series.rows(end.series.draw((batch,), generator))
        rows = end.spec.coefficient_family.draw((batch, end.n_rows(n_paths)), generator)
        if end.orders is not None:
            rows = torch.cat([rows[:, :1], directional * rows[:, 1:]], 1)
        return strength * rows

    low, high = link.rx.spec.power_db
    power = 10 ** ((low + (high - low) * torch.rand(batch, 1, n_paths, dtype=torch.float64, generator=generator)) / 10)
    shape = (2, batch, n_subcarriers, n_paths)
    re, im = torch.randn(shape, dtype=torch.float64, generator=generator) * (power / 2).sqrt()
    arrival, rise = _directions(link.rx, batch, n_paths, generator)
    departure, fall = _directions(link.tx, batch, n_paths, generator)
    # departures in no order: which of them belongs to which arrival is part of the problem
    order = torch.rand(batch, n_paths, dtype=torch.float64, generator=generator).argsort(1)
    fall = None if fall is None else fall.gather(1, order)
    gains = torch.complex(re, im)
    return Rays(arrival, departure.gather(1, order), gains, theta(link.rx), theta(link.tx), rise, fall)


def _directions(
    end: LinkEnd, batch: int, n_paths: int, generator: torch.Generator | None
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Azimuths (B, P) in rad from the prior of an array, and elevations where it has any."""
    if end.spec.elevated:
        return draw_directions(end.spec, batch, n_paths, generator)
    return draw_azimuth(end.spec, batch, n_paths, generator), None


def reordered(link: Link, rays: Rays, order: torch.Tensor) -> Rays:
    """The same paths in another order (B, P), their own coupling matrices with them."""

    def theta(end: LinkEnd, rows: torch.Tensor) -> torch.Tensor:
        return rows.gather(1, order[..., None].expand_as(rows)) if end.orders is None else rows

    def angle(of_paths: torch.Tensor | None) -> torch.Tensor | None:
        return None if of_paths is None else of_paths.gather(1, order)

    gains = rays.gains.gather(2, order[:, None].expand_as(rays.gains))
    return Rays(rays.azimuth_rx.gather(1, order), rays.azimuth_tx.gather(1, order), gains,
                theta(link.rx, rays.theta_rx), theta(link.tx, rays.theta_tx),
                angle(rays.elevation_rx), angle(rays.elevation_tx))  # fmt: skip


def noise_power(snr_db: float) -> float:
    """Noise power of one sounding measurement, for a path of 0 dB through random beams of unit norm."""
    return math.pow(10, -snr_db / 10)
