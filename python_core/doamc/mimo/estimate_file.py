"""Paths and couplings of sounded links as an .npz file: what ``doamc mimo SOUNDINGS.npz`` writes.

``doa_deg`` (B, P) of arrival, ascending, and ``dod_deg`` (B, P) of departure; ``elevation_deg`` and
``dod_elevation_deg`` (B, P) where the array of that end has elevations; ``doa_std_deg``, ``dod_std_deg``,
``elevation_std_deg``, ``dod_elevation_std_deg`` (B, P), the Cramer-Rao bound at the estimate, NaN where the symbols
cannot tell. ``gain`` complex (B, S, P). ``coupling_rx`` (B, N_R, N_R) and ``coupling_tx`` (B, N_T, N_T), complex, or
one for every path (B, P, N, N). ``noise_power`` (B,), after a combiner of unit norm. ``combiner`` (B, N_R) and
``beamformer`` (B, N_T): the beams of unit norm that the estimated channel asks for. NaN where a link cannot be fitted,
as of symbols that are all zero.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from doamc.errors import EstimatorError
from doamc.mimo.alignment import best_beams
from doamc.mimo.bound import local_deviations
from doamc.mimo.channel import Link, Rays
from doamc.mimo.criterion import LinkModel
from doamc.mimo.link_end import LinkEnd
from doamc.mimo.link_estimate import LinkEstimate
from doamc.mimo.ml import maximum_likelihood
from doamc.mimo.sbl import SblOptions
from doamc.mimo.sounding import Sounding
from doamc.mimo.sounding_file import Soundings
from doamc.snapshots.npz import write_snapshots


def estimated(
    link: Link, soundings: Soundings, n_paths: int, options: SblOptions | None = None
) -> dict[str, NDArray[Any]]:
    """The keys above, one link after the other: memory does not grow with their number.

    Raises EstimatorError where P, the options or the number of symbols do not fit.
    """
    sounding = soundings.sounding
    parts = [_one(link, sounding, received[None], n_paths, options) for received in soundings.received]
    out = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    out["gain"] = _scaled(out["gain"], soundings.receive_exponent - soundings.send_exponent)
    with np.errstate(all="ignore"):  # powers beyond the range of numbers are infinite, or zero
        out["noise_power"] = np.ldexp(out["noise_power"], 2 * soundings.receive_exponent)
    return out


def write_estimated(path: str | Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write what `estimated` gave, whole or not at all."""
    write_snapshots(path, **arrays)


def _one(
    link: Link, sounding: Sounding, received: torch.Tensor, n_paths: int, options: SblOptions | None
) -> dict[str, NDArray[Any]]:
    """The keys of one link, received (1, S, T)."""
    model = LinkModel(link, sounding, n_paths)
    try:
        found = maximum_likelihood(link, sounding, received, n_paths, options=options)
        rays, beams = found.rays, best_beams(link.channel(found.rays))
    except torch.linalg.LinAlgError:  # symbols that are zero, or that nothing explains
        found = LinkEstimate(_unknown(model, received), torch.full((1,), torch.nan, dtype=torch.float64))
        rays = found.rays
        u, v = link.responses(rays)
        beams = torch.full_like(u[..., 0], torch.nan), torch.full_like(v[..., 0], torch.nan)
    try:
        bound: Rays | None = local_deviations(model, rays, received, found.noise_power)
    except (EstimatorError, torch.linalg.LinAlgError):  # these symbols cannot tell them apart
        bound = None
    out: dict[str, torch.Tensor] = {}
    for end, azimuth, elevation in (("rx", "doa", "elevation"), ("tx", "dod", "dod_elevation")):
        for name, key in (("azimuth", azimuth), ("elevation", elevation)):
            angle = getattr(rays, f"{name}_{end}")
            if angle is not None:
                std = torch.full_like(angle, torch.nan) if bound is None else getattr(bound, f"{name}_{end}")
                out |= {f"{key}_deg": angle.rad2deg(), f"{key}_std_deg": std.rad2deg()}
    out |= {
        "gain": rays.gains,
        "coupling_rx": coupling_of(link.rx, rays.azimuth_rx, rays.theta_rx, rays.elevation_rx),
        "coupling_tx": coupling_of(link.tx, rays.azimuth_tx, rays.theta_tx, rays.elevation_tx),
        "noise_power": found.noise_power,
        "combiner": beams[0],
        "beamformer": beams[1],
    }
    return {key: value.resolve_conj().numpy() for key, value in out.items()}


def _unknown(model: LinkModel, received: torch.Tensor) -> Rays:
    """Paths of which nothing is known, for received (1, S, T): NaN."""
    x = torch.full((1, sum(model.sizes)), torch.nan, dtype=torch.float64)
    return model.unpack(x, torch.full_like(received[:, :, :1], torch.nan).expand(-1, -1, model.n_paths))


def coupling_of(
    end: LinkEnd, azimuth: torch.Tensor, theta: torch.Tensor, elevation: torch.Tensor | None = None
) -> torch.Tensor:
    """Coupling (B, N, N), of an end where it turns with direction that of every path, (B, P, N, N)."""
    c = end.matrices(azimuth, theta, elevation)
    return c[:, 0] if end.orders == 0 else c


def _scaled(values: NDArray[np.complex128], exponent: int) -> NDArray[np.complex128]:
    """Values times a power of two."""
    with np.errstate(all="ignore"):
        return np.ldexp(np.ascontiguousarray(values).view(np.float64), exponent).view(np.complex128)
