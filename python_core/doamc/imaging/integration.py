"""One integration of a correlator."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError


def check_count(snapshots: float, n_elements: int) -> None:
    """Raise ImagingError where a covariance of N elements is of fewer samples of each.

    It is singular, and has more numbers than the samples that it is made of: of L samples it tells of L - 1 sources at
    most.
    """
    if snapshots < n_elements:
        raise ImagingError(
            f"expected {n_elements} samples of {n_elements} elements at least, found {snapshots:g}, whose "
            "covariance is singular; integrate for longer"
        )


@dataclass(frozen=True)
class Integration:
    """Sample covariance of N streams over one integration.

    covariance: (N, N) complex128, of streams. seq: number of the integration, from 0. snapshots: samples of each stream
    in it. sample_time: stream time of the first, s, within the slices that were left out. sample_rate, Hz. rx_time: of
    the first sample by the receiver's clock, s, None where it is not told. frequency_hz: centre frequency, None where
    it is not told. gaps: slices that the receiver lost within. array: name of the specification, "" where it is not
    told. time: Unix time at which it was complete, s.
    """

    covariance: NDArray[np.complex128]
    seq: int
    snapshots: int
    sample_time: float
    sample_rate: float
    rx_time: float | None
    frequency_hz: float | None
    gaps: int
    array: str
    time: float

    @property
    def integration_s(self) -> float:
        """Length, s, without gaps."""
        return self.snapshots / self.sample_rate if self.sample_rate > 0 else math.nan
