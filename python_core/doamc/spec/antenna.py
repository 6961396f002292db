"""The table [antenna] of a specification: wires, loads, a mast, and how much built arrays differ from the plan.

Lengths are in wavelengths. Deviations named in pairs [careful, rough] belong to two kinds of builders; a share of the
draws is rough.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from doamc.coupling.interpolation import chebyshev_nodes
from doamc.errors import SpecificationError
from doamc.spec import checks
from doamc.text import shown

ELEMENTS = ("dipole", "monopole")
_KEYS = {
    "element", "length_wavelengths", "radius_wavelengths", "load_ohm", "segments", "mast", "draws", "blocks",
    "design_frequency_hz", "frequency_range", "frequency_nodes", "tuned",
}  # fmt: skip
_MAST_KEYS = {"position_wavelengths", "bottom_wavelengths", "top_wavelengths", "radius_wavelengths"}


@dataclass(frozen=True)
class Mast:
    """A vertical conducting tube without a port: place (x, y), ends in z, radius; wavelengths."""

    position: tuple[float, float]
    bottom: float
    top: float
    radius: float


@dataclass(frozen=True)
class Draws:
    """Spread of built arrays around the plan; standard deviations unless said otherwise.

    Of the whole array: length_percent; radius_factor (log-uniform from 1/f to f); load_ohm (resistance and reactance);
    frequency_percent. Of each element, [careful, rough]: element_length_percent, element_load_ohm,
    position_wavelengths (x and y), gain_db, phase_deg (of the receivers). rough_share: share of rough builders.
    """

    length_percent: float = 1.0
    radius_factor: float = 1.5
    load_ohm: float = 2.0
    frequency_percent: float = 0.2
    element_length_percent: tuple[float, float] = (0.2, 1.5)
    element_load_ohm: tuple[float, float] = (0.5, 2.0)
    position_wavelengths: tuple[float, float] = (0.001, 0.0075)
    gain_db: tuple[float, float] = (0.1, 0.2)
    phase_deg: tuple[float, float] = (0.75, 1.5)
    rough_share: float = 0.2


@dataclass(frozen=True)
class Antenna:
    """Equal vertical elements at the positions of an array, and what stands beside them.

    element: "dipole" (fed in its middle) or "monopole" (fed at its foot, over perfectly conducting ground). length:
    of a monopole, from the ground up. load: impedance of a receiver, ohm. segments: of an element, for NEC2.
    blocks: number J of angular functions of a prior's response. design_frequency_hz: where lengths and
    positions in wavelengths hold. frequency_range: relative to it, of a prior over frequencies, given at
    frequency_nodes nodes. tuned: elements are set to their length in wavelengths at every frequency (telescopic whips);
    otherwise the metal stays.
    """

    element: str = "dipole"
    length: float = 0.47
    radius: float = 1e-3
    load: complex = 50.0
    segments: int = 21
    blocks: int = 3
    design_frequency_hz: float | None = None
    mast: Mast | None = None
    draws: Draws = field(default_factory=Draws)
    frequency_range: tuple[float, float] = (1.0, 1.0)
    frequency_nodes: int = 1
    tuned: bool = False

    @property
    def frequencies(self) -> np.ndarray:
        """Nodes (F,) of a prior over frequencies; 1 where there is no range."""
        return np.ones(1) if self.frequency_nodes == 1 else chebyshev_nodes(*self.frequency_range, self.frequency_nodes)


def parse_antenna(table: dict[str, Any]) -> Antenna:
    """Antenna of a parsed specification. Raises SpecificationError that names the entry, or that there is none."""
    part = checks.section(table, "antenna", "element", "length_wavelengths", known=_KEYS)
    if part["element"] not in ELEMENTS:
        found = shown(part["element"])
        raise SpecificationError(f"[antenna] element must be one of {', '.join(ELEMENTS)}, found {found}")
    resistance, reactance = _pair(part, "load_ohm", [50.0, 0.0])
    if resistance < 0:
        raise SpecificationError(f"[antenna] load_ohm must have a resistance >= 0, found {resistance:g}")
    blocks = checks.whole(part | {"blocks": part.get("blocks", 3)}, "antenna", "blocks", 1, 9)
    if blocks % 2 == 0:
        raise SpecificationError(f"[antenna] blocks must be odd (1 and pairs of cosine and sine), found {blocks}")
    frequency = part.get("design_frequency_hz")
    return Antenna(
        part["element"],
        checks.number(part, "antenna", "length_wavelengths", 0.47, 0.01, 2.0),
        checks.number(part, "antenna", "radius_wavelengths", 1e-3, 1e-6, 0.02),
        complex(resistance, reactance),
        checks.whole(part | {"segments": part.get("segments", 21)}, "antenna", "segments", 3, 201) // 2 * 2 + 1,
        blocks,
        None if frequency is None else checks.number(part, "antenna", "design_frequency_hz", 0.0, 1.0, 1e12),
        _mast(part),
        _draws(part),
        *_range(part),
        _flag(part, "tuned"),
    )


def _range(part: dict[str, Any]) -> tuple[tuple[float, float], int]:
    if "frequency_range" not in part:
        return (1.0, 1.0), 1
    low, high = checks.span(part, "antenna", "frequency_range", [], 20.0)
    if not 0.05 <= low < high <= 20.0:
        raise SpecificationError(f"[antenna] frequency_range must lie in 0.05..20, low < high, found {[low, high]}")
    given = part | {"frequency_nodes": part.get("frequency_nodes", 7)}
    return (low, high), checks.whole(given, "antenna", "frequency_nodes", 2, 33)


def _flag(part: dict[str, Any], key: str) -> bool:
    if not isinstance(part.get(key, False), bool):
        raise SpecificationError(f"[antenna] {key} must be true or false, found {shown(part[key])}")
    return bool(part.get(key, False))


def _mast(part: dict[str, Any]) -> Mast | None:
    if "mast" not in part:
        return None
    mast = checks.section(part, "mast", *sorted(_MAST_KEYS), known=_MAST_KEYS)
    ends = ("bottom_wavelengths", "top_wavelengths")
    low, high = (checks.number(mast, "antenna.mast", end, 0.0, -100.0, 100.0) for end in ends)
    if low >= high:
        raise SpecificationError(f"[antenna.mast] bottom must lie below top, found {low:g} and {high:g}")
    radius = checks.number(mast, "antenna.mast", "radius_wavelengths", 0.0, 1e-6, 0.1)
    x, y = _pair(mast, "position_wavelengths", [])
    return Mast((x, y), low, high, radius)


def _draws(part: dict[str, Any]) -> Draws:
    names = Draws.__dataclass_fields__
    draws = checks.section(part, "draws", known=set(names)) if "draws" in part else {}
    values: dict[str, Any] = {}
    for key in draws:
        default = names[key].default
        if isinstance(default, tuple):
            pair = _pair(draws, key, [])
            if min(pair) < 0:
                raise SpecificationError(f"[antenna.draws] {key} must be [careful, rough], both >= 0, found {pair}")
            values[key] = tuple(pair)
        else:
            low, high = {"radius_factor": (1.0, 10.0), "rough_share": (0.0, 1.0)}.get(key, (0.0, 50.0))
            values[key] = checks.number(draws, "antenna.draws", key, 0.0, low, high)
    return Draws(**values)


def _pair(part: dict[str, Any], key: str, default: list[float]) -> list[float]:
    value = part.get(key, default)
    if (
        not isinstance(value, list)
        or len(value) != 2
        or any(isinstance(v, bool) or not isinstance(v, (int, float)) or not abs(v) < 1e6 for v in value)
    ):
        raise SpecificationError(f"[antenna] {key} must be two numbers, found {shown(value)}")
    return [float(v) for v in value]
