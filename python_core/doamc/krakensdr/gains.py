"""Gains of the tuner of the KrakenSDR (R820T): its controller confirms every value and ignores those of no step."""

import math
from collections.abc import Sequence

from doamc.errors import ReceiverError

#: dB x 10, as `if_gains` of a header and ``GAIN`` count
STEPS = (
    0, 9, 14, 27, 37, 77, 87, 125, 144, 157, 166, 197, 207, 229, 254, 280, 297, 328, 338, 364, 372, 386, 402, 421, 434,
    439, 445, 480, 496,
)  # fmt: skip
#: what is asked for must lie below, dB
MAX_GAIN_DB = 50.0


def nearest_gains(gains_db: Sequence[float]) -> list[float]:
    """Steps of the tuner, dB, that are nearest to gains, dB. Raises ReceiverError unless they are within 0 to 50 dB."""
    gains = [float(g) for g in gains_db]
    if not all(math.isfinite(g) and 0 <= g <= MAX_GAIN_DB for g in gains):
        raise ReceiverError(f"expected gains of 0 to {MAX_GAIN_DB:g} dB, found {gains}")
    return [min(STEPS, key=lambda step: abs(step - 10 * g)) / 10 for g in gains]
