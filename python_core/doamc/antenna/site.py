"""The antenna of a specification with its places, at a frequency."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from doamc.antenna.draws import azimuth_count
from doamc.antenna.response import as_planned, wires
from doamc.errors import SpecificationError
from doamc.spec import REACH, parse_spec, read_table
from doamc.spec.antenna import Antenna, Mast, parse_antenna

#: what is asked of memory: segments, whose square are the impedances, and currents of all runs
MAX_SEGMENTS, MAX_CURRENTS = 2048, 1 << 20


@dataclass(frozen=True)
class Site:
    """name: of the specification. positions: (N, 2) nominal, wavelengths. table: the specification as parsed."""

    name: str
    antenna: Antenna
    positions: np.ndarray
    sector_deg: tuple[float, float]
    table: dict[str, Any]

    def at(self, frequency_hz: float) -> "Site":
        """The same array at another frequency: every length in wavelengths grows with it, but those of tuned elements.

        Raises SpecificationError where [antenna] names no design_frequency_hz or one further than `REACH` away, or the
        antenna becomes too large.
        """
        design = self.antenna.design_frequency_hz
        if design is None:
            raise SpecificationError(
                "expected design_frequency_hz in [antenna] to tell lengths at another frequency, found none; add it"
            )
        f = frequency_hz / design
        if not 1 / REACH <= f <= REACH:
            raise SpecificationError(
                f"expected a frequency from {design / REACH:g} to {design * REACH:g} Hz, found {frequency_hz:g}"
            )
        a = self.antenna
        mast = a.mast and Mast(
            (f * a.mast.position[0], f * a.mast.position[1]), f * a.mast.bottom, f * a.mast.top, f * a.mast.radius
        )
        length = a.length if a.tuned else f * a.length
        scaled = replace(a, length=length, radius=f * a.radius, mast=mast, design_frequency_hz=frequency_hz)
        return replace(self, antenna=scaled, positions=f * self.positions).checked()

    def checked(self) -> "Site":
        """The site itself. Raises SpecificationError where solving it would take more memory than the stated limits."""
        segments = sum(w.segments for w in wires(self.antenna, as_planned(self.antenna, self.positions)))
        if segments > MAX_SEGMENTS:
            raise SpecificationError(f"[antenna] may have {MAX_SEGMENTS} segments in all, found {segments}; take fewer")
        runs = azimuth_count(self.positions) + len(self.positions)
        if segments * runs > MAX_CURRENTS:
            raise SpecificationError(
                f"[antenna] segments times azimuths and elements may be {MAX_CURRENTS}, found {segments} times {runs}; "
                "take fewer segments or a smaller array"
            )
        return self


def load_site(name_or_path: str | Path) -> Site:
    """Antenna of a specification. Its coupling family is left aside: the prior it names may be about to be made.

    Raises SpecificationError when the specification is wrong, has no table [antenna] or elements at several heights.
    """
    table, path = read_table(name_or_path)
    try:
        antenna = parse_antenna(table)
        coupling = {"family": "symmetric-toeplitz", "magnitude": [[0.0, 0.1]]}
        spec = parse_spec(table | {"coupling": coupling}, path.parent).tuned(antenna.design_frequency_hz)
        positions = spec.positions.numpy()
        if np.ptp(positions[:, 2]) > 0:
            raise SpecificationError("[antenna] takes elements at one height, found several in [geometry]")
    except SpecificationError as error:
        raise SpecificationError(f"{path}: {error}") from error
    return Site(spec.name, antenna, positions[:, :2], spec.azimuth_deg, table).checked()
