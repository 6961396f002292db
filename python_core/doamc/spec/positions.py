"""Positions that a capture tells, held against a specification: which element each stream comes from.

Where an array stands is no matter, so that places count from their centre. The same places in any order are the array,
numbered so; a circle wired the other way round is the commonest case. Anything else is refused. So is an array that is
turned as a whole: azimuths count from the array's own +x axis, a line turned by 90 degrees looks to either side, and a
turn that is not told would be in every bearing.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from doamc.errors import SpecificationError
from doamc.spec.array_spec import ArraySpec
from doamc.spec.geometry import in_wavelengths
from doamc.spec.tuning import SPEED_OF_LIGHT

#: how far an antenna may stand beside its place: wavelengths, or a share of the array's radius where that is more
TOLERANCE, SHARE = 0.02, 0.03
TURN_DEG = 1.0  #: by how much an array may be turned


def channels_in_metres(
    spec: ArraySpec,
    points_m: NDArray[np.float64],  # shape: (N, 3)
    frequencies_hz: Sequence[float],
) -> tuple[int, ...]:
    """Element of each stream by the places of their antennas, in metres.

    frequencies_hz: where the specification's wavelengths may hold, the likeliest first; without any, only the shape of
    the array counts. Raises SpecificationError that says how the antennas stand when they are not those of the array.
    """
    if not frequencies_hz:
        elements = _wavelengths(spec, spec.frequency_hz or SPEED_OF_LIGHT)
        size = _radius(points_m)
        return _channels(spec, points_m * (_radius(elements) / size if size > 0 else 1.0), elements)
    refused = None
    for frequency in dict.fromkeys(frequencies_hz):
        try:
            return _channels(spec, points_m * (frequency / SPEED_OF_LIGHT), _wavelengths(spec, frequency))
        except SpecificationError as error:
            refused = refused or error
    raise refused or SpecificationError("expected a frequency")


def channels_in_wavelengths(
    spec: ArraySpec,
    points: NDArray[np.float64],  # shape: (N, 3)
    frequency_hz: float | None = None,
) -> tuple[int, ...]:
    """Element of each stream by the places of their antennas, in wavelengths. Raises as `channels_in_metres` does.

    frequency_hz: at which an array in metres is meant; its own where it is None.
    """
    frequency = frequency_hz or spec.frequency_hz
    if spec.in_metres and frequency is None:
        return channels_in_metres(spec, points, ())
    return _channels(spec, points, _wavelengths(spec, frequency or SPEED_OF_LIGHT))


def stream_positions_m(spec: ArraySpec, frequency_hz: float | None) -> NDArray[np.float64] | None:
    """Positions (N, 3), m, of the antennas in the order of the streams; None where no frequency is known.

    frequency_hz: where wavelengths hold for which the specification names no frequency.
    """
    frequency = frequency_hz if spec.in_metres or spec.frequency_hz is None else spec.frequency_hz
    frequency = frequency or spec.frequency_hz
    if frequency is None:
        return None
    return _wavelengths(spec, frequency)[list(spec.channels)] * (SPEED_OF_LIGHT / frequency)


def renumbering(spec: ArraySpec, channels: Sequence[int]) -> str | None:
    """What to say where streams are numbered otherwise than the specification says; None where they are not."""
    if tuple(channels) == spec.channels:
        return None
    n, first = spec.n_elements, channels[0]
    senses = {"counter-clockwise": 1, "clockwise": -1} if spec.geometry["kind"] == "uca" else {}
    found = [word for word, s in senses.items() if all((c - first - s * m) % n == 0 for m, c in enumerate(channels))]
    numbers = ", ".join(map(str, channels[:16])) + (", ..." if n > 16 else "") + "".join(f" ({w})" for w in found)
    return f"by their positions the channels are elements {numbers} of array {spec.name}, and are taken so"


def _wavelengths(spec: ArraySpec, frequency_hz: float) -> NDArray[np.float64]:
    """Positions of the elements (N, 3) in wavelengths at a frequency."""
    if spec.in_metres:
        spec = replace(spec, geometry=in_wavelengths(spec.geometry, SPEED_OF_LIGHT / frequency_hz))
    return spec.positions.numpy()


def _channels(spec: ArraySpec, points: NDArray[np.float64], elements: NDArray[np.float64]) -> tuple[int, ...]:
    """Element of each stream; both in wavelengths, (N, 3)."""
    if points.shape != elements.shape:
        raise SpecificationError(
            f"expected {len(elements)} antennas, those of array {spec.name}, found positions of {len(points)}"
        )
    points, elements = points - points.mean(0), elements - elements.mean(0)
    limit = _limit(elements)
    found = _match(points, elements, limit, spec.channels)
    turn = 0.0 if found is None else _turn_deg(points, elements[list(found)])
    if found is not None and abs(turn) <= TURN_DEG:
        return found
    what = _difference(points, elements, limit, spec.channels) if found is None else _turned(turn)
    raise SpecificationError(
        f"expected the antennas of array {spec.name} as its positions have them, found {what}; name the array that it "
        "is (kind positions takes any), or pass over the positions"
    )


def _limit(elements: NDArray[np.float64]) -> float:
    """How far an antenna may be from its place: never so far that two could be exchanged."""
    apart = np.linalg.norm(elements[:, None] - elements, axis=2)[np.triu_indices(len(elements), 1)].min()
    most = max(TOLERANCE, SHARE * _radius(elements))
    return float(min(most, 0.4 * apart) if apart > 0 else most)


def _match(
    points: NDArray[np.float64], elements: NDArray[np.float64], limit: float, own: Sequence[int]
) -> tuple[int, ...] | None:
    """Element at each point; the specification's own numbering where that fits; None where places differ."""
    if np.linalg.norm(points - elements[list(own)], axis=1).max() <= limit:
        return tuple(own)
    distance = np.linalg.norm(points[:, None] - elements, axis=2)
    nearest = distance.argmin(1)
    fits = distance.min(1).max() <= limit and len(set(nearest.tolist())) == len(elements)
    return tuple(nearest.tolist()) if fits else None


def _turn_deg(points: NDArray[np.float64], elements: NDArray[np.float64]) -> float:
    """By how much points are turned counter-clockwise against elements in the same order, least squares, degrees."""
    return math.degrees(np.angle(((points @ [1, 1j, 0]) * (elements @ [1, -1j, 0])).sum()))


def _difference(points: NDArray[np.float64], elements: NDArray[np.float64], limit: float, own: Sequence[int]) -> str:
    """How antennas stand that are not those of an array."""
    far = int(np.hypot(points[:, 0], points[:, 1]).argmax())
    turns = []
    for m in range(len(elements)):  # the outermost antenna is one of the elements
        turn = np.angle((points[far] @ [1, 1j, 0]) * (elements[m] @ [1, -1j, 0]))
        c, s = math.cos(turn), math.sin(turn)
        found = _match(points, elements @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]), 2 * limit, own)
        if found is not None:
            turns.append((found != tuple(own), _turn_deg(points, elements[list(found)])))
    if turns:
        return _turned(min(turns, key=lambda t: (t[0], abs(t[1])))[1])
    size, wanted = _radius(points), _radius(elements)
    if size > 0 and _match(points * (wanted / size), elements, limit, own) is not None:
        return f"it {size / wanted:.3g} times as large"
    off = np.linalg.norm(points - elements[list(own)], axis=1)
    return f"that of channel {off.argmax()} {off.max():.2g} wavelengths beside its place"


def _turned(turn_deg: float) -> str:
    sense = "counter-clockwise" if turn_deg > 0 else "clockwise"
    return f"it turned by {abs(turn_deg):.1f} deg {sense}, by which every bearing would be off"


def _radius(points: NDArray[np.float64]) -> float:
    """Greatest distance from the centre."""
    return float(np.linalg.norm(points - points.mean(0), axis=1).max())
