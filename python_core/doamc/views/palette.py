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
#: least magnitude of a coupling that is shown, dB; the phase of a smaller one is mostly noise
FLOOR_DB = -30.0


def colour_of(source: int) -> str:
    """Colour of a source by its number, from 0; they repeat after six."""
    return COLOURS[source % len(COLOURS)]


def magnitude_db(coupling: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Magnitudes of a coupling matrix, dB; zeros come out at -180 dB."""
    return 20 * np.log10(np.maximum(np.abs(coupling), 1e-9))


def phase_deg(coupling: NDArray[np.complex128], floor_db: float = FLOOR_DB) -> NDArray[np.float64]:
    """Phases of a coupling matrix, degrees in (-180, 180]; NaN where the magnitude is below floor_db."""
    return np.where(magnitude_db(coupling) < floor_db, np.nan, np.degrees(np.angle(coupling)))
