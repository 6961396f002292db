"""Which antenna each channel of a receiver is wired to.

The vendor's manual numbers the antennas of its ring clockwise, seen from above: channel m hears the antenna at azimuth
-72 m degrees. Specifications number their streams as they like, most of them counter-clockwise (`spec.numbering`).
"""

import math

from doamc.errors import ReceiverError
from doamc.spec import ArraySpec
from doamc.spec.numbering import NUMBERING
from doamc.text import shown

AS_SPECIFIED, CLOCKWISE, COUNTER_CLOCKWISE = "as-specified", "clockwise", "counter-clockwise"
ORDERS = (AS_SPECIFIED, CLOCKWISE, COUNTER_CLOCKWISE)
#: how far radii of a ring may differ, relative
_ROUND = 0.05


def channel_order(spec: ArraySpec, order: str) -> list[int]:
    """The element of each channel, by numbers from 0.

    order: ``as-specified`` (`ArraySpec.channels`); ``clockwise`` or ``counter-clockwise``, seen from above, from
    element 0 on around a ring, however the specification numbers it; or elements as ``0,4,3,2,1``, some or all.
    Raises ReceiverError when the array is no ring, or the elements are not different ones of its own.
    """
    n = spec.n_elements
    if order == AS_SPECIFIED:
        return list(spec.channels)
    if order not in ORDERS:
        return _listed(order, n)
    angles = _ring(spec)
    if angles is None:
        raise ReceiverError(f"expected a ring for the order {order}, found {spec.name}; list its elements, as 0,1,2")
    sign = -1.0 if order == CLOCKWISE else 1.0
    # rounded, so that element 0 does not come last by the noise of its own angle
    return sorted(range(n), key=lambda m: round(sign * (angles[m] - angles[0]), 9) % (2 * math.pi))


def usual_order(spec: ArraySpec) -> str:
    """The order where nobody asks for one: the specification's own if it tells one, else that of the manual for a ring.

    spec: as it was loaded, for one that is tuned does not tell what was written.
    """
    told = not spec.table["geometry"].keys().isdisjoint(NUMBERING)
    return AS_SPECIFIED if told or spec.geometry["kind"] != "uca" else CLOCKWISE


def _ring(spec: ArraySpec) -> list[float] | None:
    """Azimuths of the elements around their centre, rad, or None."""
    points = spec.positions
    centred = (points - points.mean(0)).tolist()
    radii = [math.hypot(x, y) for x, y, _ in centred]
    mean = sum(radii) / len(radii)
    if len(radii) < 3 or any(
        abs(r - mean) > _ROUND * mean or abs(p[2]) > _ROUND * mean for r, p in zip(radii, centred, strict=True)
    ):
        return None
    return [math.atan2(y, x) for x, y, _ in centred]


def _listed(order: str, n: int) -> list[int]:
    try:
        elements = [int(part) for part in order.split(",")]
    except ValueError:
        elements = []
    if not elements or len(set(elements)) < len(elements) or not all(0 <= m < n for m in elements):
        raise ReceiverError(
            f"expected {', '.join(ORDERS)} or different elements of 0 to {n - 1} as 0,2,1, found {shown(order)}"
        )
    return elements
