"""Changes of the coupling: a cumulative sum of how badly batches fit ([Page]).

Each deviance is standardised by what a batch has that the model describes, and by a slowly learnt baseline, since
real antennas, waveforms and rooms never fit entirely; one batch counts for at most `LIMIT`: a single odd one is no
change.
"""

import math
from dataclasses import dataclass, replace

SLACK = 0.5  #: standard deviations that are forgiven in every batch
#: of the sum. Normal scores pass it once in (exp(2 k b) - 2 k b - 1) / (2 k^2) = 1e6 batches, k = SLACK,
#: b = ALARM + 1.166 ([Siegmund] section 2.6)
ALARM = 12.0
LIMIT = 4.0  #: largest score that counts; a batch with a larger one is not learnt from
BASELINE = 200  #: batches over which the baseline is learnt
FIRST = 10  #: batches that the baseline expected beforehand counts for
LEAST_SCALE = 0.5


@dataclass(frozen=True)
class Monitor:
    """sum: of the scores so far. baseline, scale: mean and standard deviation that scores have here. count: batches."""

    sum: float = 0.0
    baseline: float = 0.0
    scale: float = 1.0
    count: int = 0

    def score(self, deviance: float, mean: float, std: float) -> float:
        """How many standard deviations too badly a batch fits; 0 where there is no deviance."""
        return 0.0 if math.isnan(deviance) else ((deviance - mean) / std - self.baseline) / self.scale

    def after(self, score: float) -> "Monitor":
        """The monitor after a batch with this score."""
        clipped = min(max(score, -LIMIT), LIMIT)
        rate = 1 / min(self.count + FIRST, BASELINE)
        deviation = self.scale * math.sqrt((1 - rate) * (1 + rate * clipped**2))
        return Monitor(
            sum=max(0.0, self.sum + clipped - SLACK),
            baseline=self.baseline + rate * clipped * self.scale,
            scale=max(LEAST_SCALE, deviation),
            count=self.count + 1,
        )

    @property
    def alarmed(self) -> bool:
        """Whether the sum has passed the threshold."""
        return self.sum > ALARM

    def accept(self, score: float) -> "Monitor":
        """The monitor with a mean score taken for what is normal: after an alarm that no other coupling explains."""
        return replace(self, sum=0.0, baseline=self.baseline + score * self.scale)
