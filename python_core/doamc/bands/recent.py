"""What has come of every signal since the last time that one asked: independent of all that was asked before."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from doamc.bands.activity import Activity
from doamc.bands.grid import FINE
from doamc.bands.signal import Signal


class Recent:
    """State: the sums of an activity as they were last. Of bins that were begun anew, all is recent."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._keep()

    def __call__(self, signals: Sequence[Signal]) -> list[Signal]:
        """Those signals that were there since the last call, with the covariance and the snapshots of that time."""
        a, ratio = self._activity, {}
        anew = (a.first != self._first) | (a.count < self._count)
        before = torch.where(anew, 0, self._count)
        found = []
        for s in signals:
            bins = list(s.bins)
            slices = float((a.count[bins] - before[bins]).sum())
            if slices <= 0:
                continue
            kept = torch.where(anew[bins, None, None], 0, self._total[bins])
            if len(bins) not in ratio:
                ratio[len(bins)] = a.grid.independent(FINE * len(bins), a.grid.n_frames) / len(bins)
            covariance = (a.total[bins] - kept).sum(0) / slices
            found.append(replace(s, covariance=covariance, snapshots=slices * ratio[len(bins)]))
        self._keep()
        return found

    def _keep(self) -> None:
        a = self._activity
        self._first, self._count, self._total = a.first.clone(), a.count.clone(), a.total.clone()
