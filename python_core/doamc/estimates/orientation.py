"""How and where the array of an estimate stands, as far as somebody tells: ``heading_deg``, ``bearing_deg``, its place.

Bearings are clockwise from true north. Which heading counts: the one that somebody tells along the way (an option, a
station file, an argument of a block), else the one in the message, else what the receiver tells of itself
(docs/bearings.md).
"""

from typing import TYPE_CHECKING, Any

from doamc.angles import bearing_deg, bearing_interval_deg, circle_deg

if TYPE_CHECKING:
    from doamc.spec import Mount


def heading_of(message: dict[str, Any]) -> float | None:
    """Bearing of the array's +x axis, in [0, 360), as an estimate tells it; None where it does not.

    By its ``heading_deg``, else by the bearing of a source, else by the compass of its ``receiver``.
    """
    if message.get("heading_deg") is not None:
        return circle_deg(float(message["heading_deg"]))
    for source in message["sources"] or ():  # GNU Radio turns an empty list into None
        if source.get("bearing_deg") is not None:
            return circle_deg(source["bearing_deg"] + source["azimuth_deg"])
    return compass_of(message)


def compass_of(message: dict[str, Any]) -> float | None:
    """What the compass of the receiver tells, in [0, 360); None where an estimate tells of none."""
    told = (message.get("receiver") or {}).get("heading_deg")
    return None if told is None else circle_deg(float(told))


def mounted(message: dict[str, Any], mount: "Mount | None") -> float | None:
    """Bearing of the +x axis by the mount of an array, turned as the receiver's compass tells, where there is one."""
    if mount is None:
        return None
    zero = compass_of(message)
    return mount.heading_deg if zero is None else mount.heading_on(zero)


def oriented(message: dict[str, Any], heading_deg: float | None = None) -> dict[str, Any]:
    """The estimate with ``heading_deg`` and, in every source, ``bearing_deg`` and the ``bearing_interval_deg``.

    heading_deg: true bearing of the +x axis; None leaves that to the message (see `heading_of`), and what does not tell
    its orientation stays as it is.
    """
    heading = heading_of(message) if heading_deg is None else circle_deg(float(heading_deg))
    if heading is None:
        return message
    return message | {"heading_deg": heading, "sources": [_turned(source, heading) for source in message["sources"]]}


def placed(message: dict[str, Any], place: tuple[float, float] | None) -> dict[str, Any]:
    """The estimate with a latitude and longitude, degrees, in ``receiver``; None leaves those of the message."""
    if place is None:
        return message
    return message | {"receiver": (message.get("receiver") or {}) | {"latitude": place[0], "longitude": place[1]}}


def _turned(source: dict[str, Any], heading_deg: float) -> dict[str, Any]:
    azimuth, (low, high) = source["azimuth_deg"], source.get("interval_deg") or (None, None)
    turned = {k: v for k, v in source.items() if k != "bearing_interval_deg"}  # one of another heading is none of ours
    turned["bearing_deg"] = bearing_deg(azimuth, heading_deg)
    if low is not None and high is not None:
        turned["bearing_interval_deg"] = list(bearing_interval_deg(low, high, azimuth, heading_deg))
    return turned
