"""Angles as a person reads them: a bearing where it is known how the array stands, else our azimuth.

A bearing runs clockwise from north, which is up. The azimuth runs counter-clockwise from the array's +x axis and is
drawn so, 0 to the right (docs/bearings.md).
"""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from doamc.angles import bearing_deg, circle_deg
from doamc.errors import ViewError

KINDS = ("compass", "math")
_POINTS = {0: "N", 90: "E", 180: "S", 270: "W"}
_Angle = TypeVar("_Angle", float, NDArray[np.float64])


@dataclass(frozen=True)
class Convention:
    """How angles are shown.

    kind: ``compass``, bearings as long as the heading is known, and azimuths otherwise; or ``math``, azimuths always.
    heading_deg: true bearing of the array's +x axis, None where it is not known.
    Raises ViewError on another kind or a heading that is no finite number.
    """

    kind: str = "compass"
    heading_deg: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS or not (self.heading_deg is None or np.isfinite(self.heading_deg)):
            raise ViewError(
                f"expected a convention compass or math and a heading in degrees or None, found {self.kind!r} and "
                f"{self.heading_deg!r}"
            )

    def of(self, heading_deg: float | None) -> "Convention":
        """The one for an estimate that tells a heading (None: it does not), which counts where none was told here."""
        return self if self.heading_deg is not None else replace(self, heading_deg=heading_deg)

    @property
    def is_compass(self) -> bool:
        """Whether bearings are shown."""
        return self.kind == "compass" and self.heading_deg is not None

    @property
    def quantity(self) -> str:
        """Name of what is shown."""
        return "bearing" if self.is_compass else "azimuth"

    @property
    def orientation(self) -> str:
        """How the array stands, in words."""
        return (
            "orientation unknown" if self.heading_deg is None else f"+x at {circle_deg(round(self.heading_deg, 1)):g}°"
        )

    def shown_deg(self, azimuth_deg: _Angle) -> _Angle:
        """The number to write for an azimuth: the bearing in [0, 360), or the azimuth as it is."""
        heading = self._heading
        return azimuth_deg if heading is None else bearing_deg(azimuth_deg, heading)

    def screen_deg(self, azimuth_deg: _Angle) -> _Angle:
        """Where an azimuth is drawn, degrees counter-clockwise from the right-hand side of the screen."""
        heading = self._heading
        return azimuth_deg if heading is None else 90.0 - heading + azimuth_deg

    def ticks(self, step_deg: int = 30, signed: bool = True) -> list[tuple[str, float]]:
        """Labels of a rose and the screen angles that they stand at.

        signed: azimuths read -150 to 180 instead of 0 to 330; bearings are never signed.
        """
        if self.is_compass:
            return [(_POINTS.get(b, str(b)), circle_deg(90.0 - b)) for b in range(0, 360, step_deg)]
        return [(f"{a - 360 if signed and a > 180 else a}°", float(a)) for a in range(0, 360, step_deg)]

    def written(self, azimuth_deg: float, digits: int = 1) -> str:
        """What is shown for an azimuth as a number with so many digits, signed where it is an azimuth."""
        shown = self.shown_deg(float(azimuth_deg))
        return (
            format(circle_deg(round(shown, digits)), f".{digits}f")
            if self.is_compass
            else format(shown, f"+.{digits}f")
        )

    def text(self, azimuth_deg: float, std_deg: float = float("nan"), digits: int = 1) -> str:
        """The same in words, with the standard deviation where it is known."""
        return f"{self.written(azimuth_deg, digits)}°" + ("" if std_deg != std_deg else f" ± {std_deg:.{digits}f}°")

    @property
    def _heading(self) -> float | None:
        return self.heading_deg if self.is_compass else None
