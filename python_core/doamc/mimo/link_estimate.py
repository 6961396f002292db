"""What methods find of a link: paths in the order of arrival, with directions inside the sectors."""

from dataclasses import dataclass, replace

import torch

from doamc.angles import wrap_rad
from doamc.arrays.extent import is_flat
from doamc.arrays.steering import direction
from doamc.mimo.channel import Rays, reordered
from doamc.mimo.criterion import LinkModel
from doamc.mimo.link_end import LinkEnd


@dataclass(frozen=True)
class LinkEstimate:
    """Estimated paths and noise power (B,); path order is that of ascending arrival."""

    rays: Rays
    noise_power: torch.Tensor


def with_gains(model: LinkModel, x: torch.Tensor, received: torch.Tensor, noise_power: torch.Tensor) -> LinkEstimate:
    """Estimate of x with its least-squares gains, paths in ascending order of arrival."""
    rays = model.unpack(x, model.concentrated(x, received)[0])
    arrival = _into_sector(model.link.rx, rays.azimuth_rx, rays.elevation_rx)
    departure = _into_sector(model.link.tx, rays.azimuth_tx, rays.elevation_tx)
    rays = replace(rays, azimuth_rx=arrival[0], elevation_rx=arrival[1], azimuth_tx=departure[0],
                   elevation_tx=departure[1])  # fmt: skip
    return LinkEstimate(reordered(model.link, rays, rays.azimuth_rx.argsort(1)), noise_power)


def _into_sector(
    end: LinkEnd, azimuth: torch.Tensor, elevation: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Azimuths of a full circle within it; of elements in a plane elevations on the side of the sector.

    An elevation that went past the zenith comes down on the other side of it.
    """
    if elevation is not None:
        unit = direction(azimuth, elevation)
        beyond = elevation.cos() < 0
        azimuth = torch.where(beyond, torch.atan2(unit[..., 1], unit[..., 0]), azimuth)
        elevation = torch.where(beyond, unit[..., 2].asin(), elevation)
        low, high = end.spec.elevation_rad
        if is_flat(end.spec.positions) and low * high >= 0:
            elevation = elevation.abs() * (1.0 if high > 0 else -1.0)
    return wrap_rad(azimuth, end.spec.sector_rad[0]) if end.spec.full_circle else azimuth, elevation
