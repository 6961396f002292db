"""The array at the frequency of each signal: its wavelength is the signal's own, not the band's."""

from dataclasses import replace

from doamc.errors import SpecificationError
from doamc.spec import SAME_FREQUENCY, ArraySpec
from doamc.spec.geometry import scaled_geometry

#: frequencies within so much of each other, relative, share an estimator: 0.02 degrees at 60 degrees from broadside
STEP = 4e-4


def spec_at(spec: ArraySpec, frequency_hz: float, reference_hz: float) -> ArraySpec:
    """The array in wavelengths of a frequency; reference_hz: for which its own hold, where it does not tell.

    A prior of antennas that holds at one frequency is taken within `SAME_FREQUENCY` of it; only distances are scaled.
    Raises SpecificationError where it does not hold.
    """
    if spec.in_metres:
        return spec.tuned(frequency_hz)
    ratio = frequency_hz / (spec.frequency_hz or reference_hz)
    if abs(ratio - 1) < STEP / 2:
        return spec
    try:
        return spec.at(spec.frequency * ratio)
    except SpecificationError:
        if abs(ratio - 1) > SAME_FREQUENCY:
            raise
        return replace(spec, geometry=scaled_geometry(spec.geometry, ratio), own_family=spec.family)


def nearest_step(frequency_hz: float, reference_hz: float) -> float:
    """The frequency that stands for those within half a `STEP` of it, Hz."""
    return reference_hz * (1 + STEP * round((frequency_hz / reference_hz - 1) / STEP))
