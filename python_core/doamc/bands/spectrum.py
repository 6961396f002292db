"""The spectrum of a band as receivers show it, as a message of schema ``doamc.spectrum/1``: power and noise floor."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from doamc import __version__
from doamc.bands.finder import SignalFinder
from doamc.bands.live import Told
from doamc.bands.spectra import BandSlice
from doamc.protocol import SPECTRUM_SCHEMA

MOST_VALUES = 2048  #: of a message
SHORTER = 0.05  #: by which slices may be shorter than they should, of their length
LEAST_DB = -200.0  #: told of a bin without any power


class BandSpectrum:
    """take() gives a message for every `period_s` of slices, about: the mean of their powers.

    finder: of the slices. told: how messages name what they are of. period_s: at least one slice; 0 or less: no
    messages. Memory: a sum of every bin.
    """

    def __init__(self, finder: SignalFinder, told: Told, period_s: float) -> None:
        self.finder, self.told = finder, told
        grid = finder.grid
        # of 20 ms slices and 20 messages a second, three make one: a reader gets no more than it asked for, but for the
        # little by which slices are shorter than they were asked to be
        self.every = max(1, math.ceil(period_s / grid.slice_s - SHORTER)) if period_s > 0 else 0
        self.group = -(-grid.n_bins // MOST_VALUES)
        self._sum = torch.zeros(grid.n_bins)
        self._clipped = 0.0
        self._count = self._first = 0

    def take(self, band: BandSlice) -> dict[str, Any] | None:
        """The message that a slice completes, if it does; call it after the finder has had the slice.

        power_dbfs (B,), floor_dbfs (B,) or None: float32 arrays; the greatest power and the mean floor of the bins that
        a value is of, each mean of the channels.
        """
        if not self.every:
            return None
        if not self._count:
            self._first = band.number
        self._sum += band.lines.mean((1, 2))
        self._clipped = max(self._clipped, band.clipped)
        self._count += 1
        if self._count < self.every:
            return None
        message = self._message(band.number + 1)
        self._sum.zero_()
        self._clipped, self._count = 0.0, 0
        return message

    def _message(self, end: int) -> dict[str, Any]:
        grid, told, detector = self.finder.grid, self.told, self.finder.detector
        edges = np.arange(0, grid.n_bins, self.group)
        power = np.maximum.reduceat((self._sum / self._count).numpy(), edges)
        floor = None
        if len(detector.floor.power):
            whole = (detector.floor.power.mean(1) * detector.gain).numpy()
            floor = _dbfs(np.add.reduceat(whole, edges) / np.diff(edges, append=grid.n_bins), grid.n_bins)
        start_s = told.start_s + self._first * grid.slice_s
        return {
            "schema": SPECTRUM_SCHEMA,
            "version": __version__,
            "array": told.array,
            "start_s": start_s,
            "stop_s": told.start_s + end * grid.slice_s,
            "time": None if told.time is None else told.time + self._first * grid.slice_s,
            "frequency_hz": grid.centre_hz,
            "sample_rate_hz": grid.sample_rate_hz,
            "low_hz": grid.edge_hz(0),
            "step_hz": self.group * grid.bin_hz,
            "resolution_hz": grid.bin_hz,
            "slices": self._count,
            "clipped": self._clipped,
            "power_dbfs": _dbfs(power, grid.n_bins),
            "floor_dbfs": floor,
        }


def _dbfs(power: NDArray[Any], n_bins: int) -> NDArray[np.float32]:
    """Power of bins, dB relative to samples of magnitude 1, from means over lines, of which each has that of a sample.

    A value in tenths of a dB: finer than what any display shows, and half as long in JSON.
    """
    level = 10 * np.log10(np.maximum(power / n_bins, 10 ** (LEAST_DB / 10)))
    return level.round(1).astype(np.float32)
