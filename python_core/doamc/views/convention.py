"""Angles as a person reads them: our azimuth, or a compass bearing.

The azimuth runs counter-clockwise from the array's +x axis and is drawn so, 0 to the right. A bearing runs clockwise
from north, which is up: ``bearing = (heading - azimuth) mod 360`` (docs/conventions.md).
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ViewError

KINDS = ("math", "compass")
_POINTS = {0: "N", 90: "E", 180: "S", 270: "W"}
_Angle = TypeVar("_Angle", float, NDArray[np.float64])


@dataclass(frozen=True)
class Convention:
    """How angles are shown.

    kind: ``math`` (azimuth) or ``compass`` (bearing). heading_deg: bearing of the array's +x axis, for ``compass``.
    Raises ViewError on another kind or a heading that is no finite number.
    """

    kind: str = "math"
    heading_deg: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS or not np.isfinite(self.heading_deg):
            raise ViewError(
                f"expected a convention math or compass and a heading in degrees, found {self.kind!r} and "
                f"{self.heading_deg!r}"
            )

    @property
    def quantity(self) -> str:
        """Name of what is shown."""
        return "azimuth" if self.kind == "math" else "bearing"

    def shown_deg(self, azimuth_deg: _Angle) -> _Angle:
        """The number to write for an azimuth: as it is, or the bearing in [0, 360)."""
        return azimuth_deg if self.kind == "math" else (self.heading_deg - azimuth_deg) % 360.0

    def screen_deg(self, azimuth_deg: _Angle) -> _Angle:
        """Where an azimuth is drawn, degrees counter-clockwise from the right-hand side of the screen."""
        return azimuth_deg if self.kind == "math" else 90.0 - self.heading_deg + azimuth_deg

    def ticks(self, step_deg: int = 30, signed: bool = True) -> list[tuple[str, float]]:
        """Labels of a rose and the screen angles that they stand at.

        signed: azimuths read -150 to 180 instead of 0 to 330; bearings are never signed.
        """
        if self.kind == "compass":
            return [(_POINTS.get(b, str(b)), (90.0 - b) % 360.0) for b in range(0, 360, step_deg)]
        return [(f"{a - 360 if signed and a > 180 else a}°", float(a)) for a in range(0, 360, step_deg)]

    def text(self, azimuth_deg: float, std_deg: float = float("nan"), digits: int = 1) -> str:
        """An azimuth in words, with its standard deviation where it is known."""
        sign = "+" if self.kind == "math" else ""
        shown = format(self.shown_deg(azimuth_deg), f"{sign}.{digits}f")
        if self.kind == "compass" and float(shown) == 360.0:  # of rounding
            shown = format(0.0, f".{digits}f")
        return f"{shown}°" + ("" if std_deg != std_deg else f" ± {std_deg:.{digits}f}°")
