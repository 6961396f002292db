"""An array at another frequency than that of its design: every distance in wavelengths grows with it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from doamc.errors import SpecificationError
from doamc.spec.geometry import in_wavelengths, scaled_geometry

if TYPE_CHECKING:
    from doamc.spec.array_spec import ArraySpec

SPEED_OF_LIGHT = 299_792_458.0
#: frequencies closer than this, relative, count as one: a line of antennas is then off by half a degree at 60 degrees
SAME_FREQUENCY = 0.005
REACH = 100.0  #: how far, as a factor, an array may be taken from its frequency of design


def at_frequency(spec: "ArraySpec", frequency: float) -> "ArraySpec":
    """`ArraySpec.at`."""
    if not 1 / REACH <= frequency <= REACH:
        raise SpecificationError(
            f"expected a frequency within a factor {REACH:g} of that of design, found a factor {frequency:g}"
        )
    ratio = frequency / spec.frequency
    geometry = scaled_geometry(spec.geometry, ratio)
    # an array whose prior is over frequencies is the same one at all of them
    table = spec.table if spec.frequency_range or ratio == 1.0 else spec.table | {"geometry": geometry}
    hertz = None if spec.frequency_hz is None else spec.frequency_hz * ratio
    spec = replace(spec, geometry=geometry, frequency=frequency, frequency_hz=hertz, table=table, own_family=None)
    _ = spec.family  # its own checks
    return spec


def in_wavelengths_at(spec: "ArraySpec", frequency_hz: float | None) -> "ArraySpec":
    """`ArraySpec.tuned`."""
    if not spec.in_metres:
        return spec
    hertz = frequency_hz or spec.frequency_hz
    if hertz is None:
        raise SpecificationError(
            f"array {spec.name} is in metres, found no frequency to take its wavelengths at; name it as ARRAY@HZ, "
            "add frequency_hz = HZ to the file, or tell that of the signals (--frequency)"
        )
    if not 1.0 <= hertz <= 1e12:
        raise SpecificationError(f"expected a frequency of 1 Hz to 1 THz for array {spec.name}, found {hertz:g} Hz")
    design = spec.table.get("antenna", {}).get("design_frequency_hz")
    known = design or spec.frequency_hz
    near = known is not None and abs(hertz / known - 1) <= SAME_FREQUENCY
    if spec.frequency_range and known:
        return at_frequency(_resolved(spec, known, known), hertz / known)
    if spec.coupling["family"] == "drawn" and not near:
        held = "its [antenna] design_frequency_hz, which is missing" if known is None else f"{known:g} Hz"
        raise SpecificationError(f"the prior of array {spec.name} holds at {held}, found {hertz:g} Hz")
    return _resolved(spec, hertz, known if known and near else hertz)


def _resolved(spec: "ArraySpec", frequency_hz: float, trained_hz: float) -> "ArraySpec":
    """In the wavelengths of a frequency; its table, which weights must agree with, in those of another."""
    geometry, trained = (in_wavelengths(spec.geometry, SPEED_OF_LIGHT / f) for f in (frequency_hz, trained_hz))
    table = {k: v for k, v in spec.table.items() if k != "frequency_hz"} | {"geometry": trained}
    return replace(spec, geometry=geometry, table=table, frequency=1.0, frequency_hz=frequency_hz, own_family=None)
