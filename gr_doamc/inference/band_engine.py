"""The threads of `signal_finder` in one run: spectra, signals, whole estimates. No GNU Radio here."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch

from doamc.bands.live import LiveBand
from doamc.bands.spectra import BandSlice
from doamc.bands.spectrum import BandSpectrum
from doamc.errors import DoamcError
from gr_doamc.inference.band_setup import BandSetup
from gr_doamc.inference.slice_queue import SliceQueue, Tuning
from gr_doamc.inference.whole_estimates import TOGETHER, WholeEstimates
from gr_doamc.runtime.ending_thread import EndingThread
from gr_doamc.runtime.switching import hurry

_BEAT_S = 0.5
_MANY = 3  #: slices that wait, from which on no whole estimate is begun


class Listener(Protocol):
    """Who is told; called in the engine's threads."""

    def on_signals(self, messages: list[dict[str, Any]]) -> None:
        """Messages of an update."""

    def on_spectrum(self, message: dict[str, Any]) -> None:
        """Message of some slices."""

    def on_failure(self, error: Exception) -> None:
        """A slice or an estimate that could not be used."""

    def on_beat(self) -> None:
        """Some time has passed."""


@dataclass(frozen=True)
class _Spectra:
    """A slice after its transform."""

    band: BandSlice
    came: float
    began: float


class BandEngine:
    """Slices in, by `queue`, messages out; from `start` until `done` is set.

    waits: nothing is dropped, and signals wait for their whole estimates: as fast as these are, the same in every run.
    left: samples of shorter slices, at the end of the stream or where it was tuned anew, that are in no part of them.
    """

    def __init__(self, setup: BandSetup, listener: Listener, queue_size: int, waits: bool, threads: int) -> None:
        self.setup, self._listener, self._waits, self._threads = setup, listener, waits, threads
        self.queue = SliceQueue(queue_size, waits)
        self.estimates = WholeEstimates(self._fail, lambda: self.queue.waiting >= _MANY)
        self._spectrum: BandSpectrum | None = None
        self._bands: queue.Queue[_Spectra | LiveBand | None] = queue.Queue(2)
        self.used = self.updates = self.signals = self.failed = self.left = 0
        self._cpu_s: dict[str, float] = {}
        self.done = threading.Event()
        jobs: list[tuple[str, Callable[[], None]]] = [("spectra", self._transform), ("signals", self._follow)]
        if not waits:
            jobs.append(("estimates", self.estimates.run))
        self.jobs = [EndingThread(partial(self._run, *job), f"doamc-{job[0]}", self.abandon) for job in jobs]

    @property
    def cpu_s(self) -> dict[str, float]:
        """Processor time of spectra, signals and whole estimates, of the threads that have ended."""
        signals, estimates = self._cpu_s.get("signals", 0.0), self.estimates.cpu_s
        own = signals - estimates if self._waits else signals
        return {"spectra": self._cpu_s.get("spectra", 0.0), "signals": own, "estimates": estimates}

    def start(self) -> None:
        """Start the threads."""
        self.setup.forget_tracks()
        for thread in self.jobs:
            thread.start()

    def close(self, drop: bool = False) -> None:
        """Take no more; `done` is set when what waits has been told, or dropped."""
        self.queue.close(drop)

    def end(self) -> None:
        """Let the threads end, whatever they are at."""
        self.done.set()
        self.estimates.close()

    def abandon(self) -> None:
        """Take no more, drop what waits, and let the threads end."""
        self.close(drop=True)
        self.end()

    def _run(self, name: str, job: Callable[[], None]) -> None:
        torch.set_num_threads(self._threads)
        try:
            with hurry():
                job()
        except Exception as error:  # a fault that nobody foresaw ends the work, and is told
            self._fail(error)
            self.abandon()
        finally:
            self._cpu_s[name] = time.thread_time()

    def _fail(self, error: Exception) -> None:
        self.failed += 1
        self._listener.on_failure(error)

    def _transform(self) -> None:
        """Spectra of slices, in their order."""
        live: LiveBand | None = None
        while not self.done.is_set() and not self.queue.ended:
            item = self.queue.take(_BEAT_S)
            began = time.time()
            if isinstance(item, Tuning):
                live = self.setup.begin(item)
                self._hand_on(live)
            elif item is not None and live is not None:
                try:
                    if item.lost:
                        live.finder.spectra.skip(item.lost)
                    band = live.finder.spectra.slice(item.samples)
                    if band is not None:
                        self._hand_on(_Spectra(band, item.time, began))
                        if band.share < 1:
                            self.left += item.samples.shape[1] - band.samples + live.finder.grid.overlap
                    self.used += 1
                except DoamcError as error:
                    self._fail(error)
        self._hand_on(None)

    def _hand_on(self, item: "_Spectra | LiveBand | None") -> None:
        """Give an item to who follows the signals, waiting for room, unless the threads are to end."""
        while not self.done.is_set():
            try:
                return self._bands.put(item, timeout=_BEAT_S)
            except queue.Full:
                continue

    def _follow(self) -> None:
        """Messages of slices, in their order."""
        live: LiveBand | None = None
        came = began = time.time()
        while not self.done.is_set():
            try:
                item = self._bands.get(timeout=_BEAT_S)
            except queue.Empty:
                self._listener.on_beat()
                continue
            if isinstance(item, _Spectra):
                came, began = item.came, item.began
                if live is not None:
                    self._take(live, item)
                self._listener.on_beat()
                continue
            if live is not None:
                self._tell(self._finish(live), came, began)
                self.setup.last_id = live.finder.last_id
            live = item
            if live is None:
                break
            live.finder.last_id = self.setup.last_id
            self._spectrum = BandSpectrum(live.finder, live.told, self.setup.options.spectrum_s)
        self.end()

    def _take(self, live: LiveBand, item: _Spectra) -> None:
        """Messages of a slice, and whole estimates of what it shows to need them."""
        updates = live.updates
        self._tell(self.estimates.fetch(live) + live.take(item.band), item.came, item.began)
        shown = self._spectrum.take(item.band) if self._spectrum is not None and item.band.share == 1 else None
        if shown is not None:
            self._listener.on_spectrum(shown | {"dropped_slices": self.queue.dropped})
        self.updates += live.updates - updates
        if live.updates == updates:
            return
        if not self._waits:
            self.estimates.want(live)
            return
        while some := live.wanted(TOGETHER):
            self._tell(self.estimates.now(live, some), 0.0, 0.0)

    def _finish(self, live: LiveBand) -> list[dict[str, Any]]:
        """Messages of signals that are left when a stream ends; those that have no direction yet get one first."""
        updates = live.updates
        messages = self.estimates.fetch(live) + live.update()
        self.updates += live.updates - updates
        while not self.done.is_set() and (some := [s for s in live.wanted(TOGETHER) if not live.has_place(s.id)]):
            messages += self.estimates.now(live, some)
        return messages + live.finish()

    def _tell(self, messages: list[dict[str, Any]], came: float, began: float) -> None:
        if not messages:
            return
        now = time.time()
        waited, worked = max(0.0, began - came), max(0.0, now - began)
        latency = {"buffer": 1e3 * waited, "inference": 1e3 * worked, "total": 1e3 * (waited + worked)}
        self.signals += sum(m["ended"] for m in messages)
        for message in messages:
            message["latency_ms"] = latency if came else None
        self._listener.on_signals(messages)
