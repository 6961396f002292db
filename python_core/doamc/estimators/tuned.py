"""One array at the frequencies that its signals are received at.

An array in metres has an estimator of its own at each. An array in wavelengths has one, which is right at one
frequency; where signals come from another, the user has to be warned.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable

from doamc.estimators.base import Estimator
from doamc.spec import SAME_FREQUENCY, ArraySpec

#: estimators that are kept, each for frequencies within so much of its own, relative: 0.01 degrees at 60 degrees
_KEPT, _NEAR = 8, 1e-4


class TunedEstimator:
    """Estimators of one array by frequency.

    spec: the array, possibly in metres. make: opens an estimator for an array in wavelengths.
    remark: what is wrong with the frequencies received so far, in one line, or None.
    """

    def __init__(self, spec: ArraySpec, make: Callable[[ArraySpec], Estimator]) -> None:
        self.spec, self._make = spec, make
        self._open: OrderedDict[float, Estimator] = OrderedDict()
        self._received: list[float] = []
        self.remark: str | None = None

    def at(self, frequency_hz: float | None) -> Estimator:
        """Estimator for signals received at a frequency in Hz (None: unknown).

        Raises SpecificationError when an array in metres finds no frequency, and what opening an estimator raises.
        """
        frequency_hz = frequency_hz if frequency_hz and math.isfinite(frequency_hz) else None
        self._note(frequency_hz)
        if not self.spec.in_metres:
            key = 0.0
        else:
            tuned = frequency_hz or self.spec.frequency_hz or 0.0
            key = next((f for f in self._open if abs(tuned - f) <= _NEAR * f), tuned)
        if key not in self._open:
            while len(self._open) >= _KEPT:
                self._open.popitem(last=False)[1].close()
            self._open[key] = self._make(self.spec.tuned(key or None))
        self._open.move_to_end(key)
        return self._open[key]

    def close(self) -> None:
        """Have every estimator put away what is to outlast the program."""
        for estimator in self._open.values():
            estimator.close()

    def _note(self, frequency_hz: float | None) -> None:
        if frequency_hz is not None and frequency_hz not in self._received:
            received = [*self._received, frequency_hz]
            self._received = [received[0], min(received), max(received)]
            self.remark = frequency_remark(self.spec, self._received)


def frequency_remark(spec: ArraySpec, frequencies_hz: Iterable[float]) -> str | None:
    """What is wrong with taking signals received at these frequencies for those of an array, in one line, or None.

    Where an array in wavelengths does not say for which frequency they hold, that of the first signal is taken.
    """
    known = [f for f in frequencies_hz if math.isfinite(f) and f > 0]
    if spec.in_metres or not known:
        return None
    low, high, own = min(known), max(known), spec.frequency_hz or known[0]
    if max(abs(low / own - 1), abs(high / own - 1)) <= SAME_FREQUENCY:
        return None
    received = f"{_mhz(low)} MHz" if low == high else f"{_mhz(low)} to {_mhz(high)} MHz"
    holds = "at one frequency" if spec.frequency_hz is None else f"at {_mhz(own)} MHz"
    return (
        f"bearings are wrong: array {spec.name} holds {holds}, found signals at {received}; name it as ARRAY@HZ "
        "for the frequency in use, or let it follow: lengths in metres and no @HZ"
    )


def _mhz(frequency_hz: float) -> str:
    return f"{frequency_hz / 1e6:.6g}"
