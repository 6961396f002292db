"""The prior of real life: what is tried where a batch does not come from the prior of the specification.

Powers: over `RANGE_DB` below the specification's highest, with `ROOM_DB` more at either end, since the level of a batch
is only nearly that of the prior. Separation: a tenth of a beamwidth of the array, 0.886 / D rad for D wavelengths
between its outermost elements (the width at half power of a uniform aperture at broadside). Sector: a line of elements
cannot tell a direction from its mirror image in the line, so all on the specification's side, up to both ends of the
line; any other array hears all around. Elevations, where the array has some: all that it can tell, up to
`MOST_ELEVATION_DEG`. Coupling: coefficients from none to half as large again as the specification's
(drawn families stay). Numbers of sources and noise stay as specified.
"""

import math
from dataclasses import replace

import torch

from doamc.arrays.extent import extent_of, is_flat
from doamc.coupling.coefficients import CoefficientFamily
from doamc.coupling.directional import DirectionalFamily
from doamc.coupling.family import CouplingFamily
from doamc.coupling.received import ReceivedFamily, received
from doamc.spec.array_spec import ArraySpec

RANGE_DB = 40.0
ROOM_DB = 6.0
SHARE = 0.05  #: of a beamwidth: two emitters nearer than this are one at 40 dB, too
HALF_POWER = 0.886  #: rad wavelengths, beamwidth of a uniform aperture of length 1
STRONGER = 1.5  #: times the largest coefficients of the specification
MOST_ELEVATION_DEG = 85.0  #: beyond, an azimuth has no meaning


def with_wide_prior(spec: ArraySpec) -> ArraySpec:
    """The same array with the prior above; what the specification allows beyond it, it keeps."""
    (low, high), gap = spec.power_db, math.degrees(least_separation_rad(spec))
    family = _stronger(spec.family)  # read once: that of a file is the same object in both
    return replace(
        spec,
        power_db=(min(low, high - RANGE_DB) - ROOM_DB, high + ROOM_DB),
        min_separation_deg=min(spec.min_separation_deg, gap),
        azimuth_deg=wide_sector_deg(spec),
        own_family=family,
        elevation_deg=wide_elevation_deg(spec),
    )


def _stronger(family: CouplingFamily) -> CouplingFamily:
    """A family of coefficients, or a series over one, with coefficients from none on; others, the same object."""
    if isinstance(family, ReceivedFamily):
        return received(_stronger(family.own), family.heard_by)
    if isinstance(family, DirectionalFamily):
        return replace(family, base=_from_none(family.base))
    return _from_none(family) if isinstance(family, CoefficientFamily) else family


def _from_none(family: CoefficientFamily) -> CoefficientFamily:
    return replace(family, magnitude=family.magnitude * torch.tensor([0.0, STRONGER]))


def least_separation_rad(spec: ArraySpec) -> float:
    """`SHARE` of the beamwidth, rad."""
    return SHARE * HALF_POWER / max(_aperture(spec), HALF_POWER / math.pi)


def wide_sector_deg(spec: ArraySpec) -> tuple[float, float]:
    """Sector in degrees: half the circle of a line of elements, all of it for other arrays."""
    low, high = spec.azimuth_deg
    if spec.full_circle:
        return low, high
    seen = extent_of(spec.positions * torch.tensor([1.0, 1.0, 0.0], dtype=spec.positions.dtype))  # from above
    if seen.dimensions == 0:  # a mast, which hears all bearings alike
        return low, high
    if seen.dimensions > 1:
        return low, low + 360.0
    x, y, _ = seen.axes[0].tolist()
    along, middle = math.degrees(math.atan2(y, x)), (low + high) / 2
    broadside = middle + (along + 90 - middle + 90) % 180 - 90
    return min(low, broadside - 90), max(high, broadside + 90)


def wide_elevation_deg(spec: ArraySpec) -> tuple[float, float] | None:
    """Elevations in degrees: above and below, but of elements in the x-y plane on the specification's side alone."""
    if spec.elevation_deg is None:
        return None
    low, high = spec.elevation_deg
    lying = is_flat(spec.positions)
    below = 0.0 if lying and low >= 0 else -MOST_ELEVATION_DEG
    above = 0.0 if lying and high <= 0 else MOST_ELEVATION_DEG
    return min(low, below), max(high, above)


def _aperture(spec: ArraySpec) -> float:
    return float(torch.cdist(spec.positions, spec.positions).max())
