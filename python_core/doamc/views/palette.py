"""Colours and scales that all views share."""

import numpy as np
from numpy.typing import NDArray

#: colours that stay apart for colour-blind eyes (Okabe and Ito, Color Universal Design, 2008), one a source
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
#: of what is true
TRUTH = "#C4C4C4"
#: of what belongs to no source
STRAY = "#9A9A9A"
#: colour maps (of matplotlib): magnitudes from dark to light, phases around a circle
MAGNITUDE_MAP, PHASE_MAP = "viridis", "twilight"
#: a wheel for directions, clockwise from north every 30 degrees: one lightness (OKLCH 0.63), so that all of them stand
#: out from a light ground and from a dark one by 3.2 to 1 at least, where PHASE_MAP would vanish into either
DIRECTIONS = (
    (221, 88, 71), (215, 84, 133), (192, 93, 185), (154, 108, 223), (98, 127, 239), (2, 146, 215), (7, 154, 173),
    (2, 159, 140), (15, 164, 77), (126, 149, 0), (167, 132, 3), (200, 111, 0),
)  # fmt: skip
#: least magnitude of a coupling that is shown, dB; the phase of a smaller one is mostly noise
FLOOR_DB = -30.0


def colour_of(source: int) -> str:
    """Colour of a source by its number, from 0; they repeat after six."""
    return COLOURS[source % len(COLOURS)]


def direction_rgb(angle_deg: float) -> tuple[int, int, int]:
    """Colour of an angle as it is shown, red, green and blue of 0 to 255."""
    at = angle_deg % 360 / 30
    first, part = int(at) % 12, at % 1
    pairs = zip(DIRECTIONS[first], DIRECTIONS[(first + 1) % 12], strict=True)
    red, green, blue = (round(low + part * (high - low)) for low, high in pairs)
    return red, green, blue


def magnitude_db(coupling: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Magnitudes of a coupling matrix, dB; zeros come out at -180 dB."""
    return 20 * np.log10(np.maximum(np.abs(coupling), 1e-9))


def phase_deg(coupling: NDArray[np.complex128], floor_db: float = FLOOR_DB) -> NDArray[np.float64]:
    """Phases of a coupling matrix, degrees in (-180, 180]; NaN where the magnitude is below floor_db."""
    return np.where(magnitude_db(coupling) < floor_db, np.nan, np.degrees(np.angle(coupling)))
