"""The entry `elevation_deg` of [sector]: elevations that sources come from, and what an array can tell of them."""

from typing import TYPE_CHECKING, Any

from doamc.errors import SpecificationError
from doamc.spec import checks

if TYPE_CHECKING:
    import torch

    from doamc.spec.array_spec import ArraySpec


def elevation_of(sector: dict[str, Any]) -> tuple[float, float] | None:
    """The range [low, high] in degrees, None where there is none. Raises SpecificationError."""
    if "elevation_deg" not in sector:
        return None
    low, high = checks.span(sector, "sector", "elevation_deg", [], 90.0)
    if low == high:
        raise SpecificationError(f"[sector] elevation_deg must be [low, high] with low < high, found {[low, high]}")
    return low, high


def check_elevation(spec: "ArraySpec") -> None:
    """Raise SpecificationError where elevations in the sector cannot be told, or the coupling holds at the horizon."""
    if spec.elevation_deg is None:
        return
    if spec.coupling["family"] == "drawn":
        raise SpecificationError(
            "[sector] elevation_deg and a coupling drawn from antennas exclude each other: such a prior holds at the "
            "horizon; take another family, or leave elevation_deg out"
        )
    from doamc.arrays.extent import extent_of, is_flat  # late: torch

    positions = spec.tuned(spec.frequency_hz or 1e9).positions
    if extent_of(positions).dimensions < 2:
        raise SpecificationError(
            "a line of elements cannot tell elevation from azimuth, found [sector] elevation_deg; leave it out"
        )
    low, high = spec.elevation_deg
    if low < 0 < high and is_flat(positions):
        raise SpecificationError(
            "elements in the x-y plane hear from above and from below alike; expected [sector] elevation_deg on one "
            f"side of the horizon, found {[low, high]}"
        )


def alike_of(spec: "ArraySpec") -> str | None:
    """What an array with elevations cannot tell apart, in words; None where it can, or has none."""
    if spec.elevation_deg is None:
        return None
    from doamc.arrays.extent import extent_of, is_flat  # late: torch

    positions = spec.tuned(spec.frequency_hz or 1e9).positions
    if is_flat(positions):
        side, other = ("above", "below") if spec.elevation_deg[0] >= 0 else ("below", "above")
        return (
            f"elevation folds: an emitter {other} the plane of the elements looks like its mirror image {side} it, and "
            "near the plane elevation is hardly seen"
        )
    if extent_of(positions).dimensions < 3:
        return "an emitter behind the plane of the elements looks like its mirror image in front of it"
    return None


def off_horizon(spec: "ArraySpec", raised: "torch.Tensor", least: float) -> "torch.Tensor":
    """Elevations, or their sines, this far from the horizon at least, on the side of it that the sector lies on."""
    side = 1.0 if spec.elevation_rad[1] > 0 else -1.0
    return side * (side * raised).clamp_min(least)


def require_horizon(spec: "ArraySpec", what: str) -> None:
    """Raise SpecificationError where an array has elevations, which `what` knows nothing of."""
    if spec.elevated:
        raise SpecificationError(
            f"{what} knows azimuths alone, found elevation_deg in [sector] of array {spec.name}; leave it out"
        )
