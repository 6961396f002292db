"""One emitter as one slice saw it: a posterior over its bearing, and where in the band it was."""

import math
from dataclasses import dataclass
from typing import Any

from doamc.errors import EstimatorError

LEAST_STD_DEG = 1e-3  #: what a message rounds to 0 is no certainty


@dataclass(frozen=True)
class Sighting:
    """A mixture over the azimuth, and the frequency if it is known.

    `modes` are (azimuth_deg, std_deg, share) with positive spreads and shares; shares are brought to a sum of 1.
    `frequency_hz` and `bandwidth_hz` are of the signal, None where a whole band is one signal.
    Raises EstimatorError for no modes, or values that are not finite and positive where they must be.
    """

    modes: tuple[tuple[float, float, float], ...]
    frequency_hz: float | None = None
    bandwidth_hz: float = 0.0

    def __post_init__(self) -> None:
        good = self.modes and all(
            len(m) == 3 and all(map(math.isfinite, m)) and m[1] > 0 and m[2] > 0 for m in self.modes
        )
        if not good:
            raise EstimatorError(f"expected modes (azimuth_deg, std_deg > 0, share > 0), found {self.modes!r}")
        if self.frequency_hz is not None and not math.isfinite(self.frequency_hz):
            raise EstimatorError(f"expected a finite frequency, found {self.frequency_hz!r}")
        if not (math.isfinite(self.bandwidth_hz) and self.bandwidth_hz >= 0):
            raise EstimatorError(f"expected a bandwidth of at least 0 Hz, found {self.bandwidth_hz!r}")


def sightings_of(
    message: dict[str, Any], frequency_hz: float | None = None, bandwidth_hz: float = 0.0
) -> list[Sighting]:
    """Sightings of the sources of a message (`doamc.estimate/1`, or a signal of `doamc.signal/1`), with their modes.

    The modes of a message are of all sources together; each source gets its own coordinate of them. Sources without a
    spread have no posterior and are left out.
    """
    sources, modes = message["sources"], message.get("modes") or []
    whole = [m for m in modes if len(m["azimuth_deg"]) == len(m.get("std_deg", ())) == len(sources)]
    found = []
    for p, source in enumerate(sources):
        places = [(m["azimuth_deg"][p], m["std_deg"][p], m["share"]) for m in whole]
        places = places or [(source["azimuth_deg"], source.get("std_deg"), 1.0)]
        kept = tuple(
            (float(azimuth), max(float(std), LEAST_STD_DEG), float(share))
            for azimuth, std, share in places
            if azimuth is not None and std is not None and share
        )
        if kept:
            found.append(Sighting(kept, frequency_hz, bandwidth_hz))
    return found
