"""What a tracker is told of emitters and of the detector before it."""

import math
from dataclasses import dataclass

from doamc.errors import EstimatorError


@dataclass(frozen=True)
class TrackerOptions:
    """Priors of a tracker; every field is finite and positive, probabilities lie in (0, 1).

    The defaults are for emitters on the ground, which stand or drive by. Raises EstimatorError for values out of range.
    """

    rate_std_deg_s: float = 1.0  #: how fast bearings turn, standard deviation
    rate_time_s: float = 10.0  #: for how long an emitter goes on turning as it does
    detected: float = 0.95  #: probability that an emitter that is on is seen in a slice
    on_s: float = 5.0  #: how long an emitter stays on the air, in the mean
    off_s: float = 5.0  #: how long it is silent between, in the mean
    lifetime_s: float = 60.0  #: how long an emitter stays where it may come back, in the mean
    births_s: float = 0.1  #: new emitters a second
    false_per_slice: float = 0.01  #: sightings a slice that are no emitter's
    band_hz: float = 2.4e6  #: width of the band that new emitters and false sightings may come up in
    frequency_std_hz: float = 1e3  #: error of a sighting's frequency beside that from its bandwidth
    shared_std_deg: float = (
        0.0  #: part of the bearings' error that all slices share (coupling, channels): never averaged
    )
    components: int = 4  #: Gaussians a track at most

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (math.isfinite(value) and (value > 0 or (name == "shared_std_deg" and value == 0))):
                raise EstimatorError(f"tracker option {name}: expected a finite positive number, found {value!r}")
        if not self.detected < 1:
            raise EstimatorError(f"tracker option detected: expected a probability below 1, found {self.detected!r}")
