"""The threads of `signal_finder`: spectra, signals with their messages, and whole estimates. No GNU Radio here."""

import queue
import threading
import time
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch

from doamc.bands.bearings import Bearings
from doamc.bands.channels import Channel
from doamc.bands.estimator import Receiver, SignalEstimator
from doamc.bands.finder import SignalFinder
from doamc.bands.grid import BandGrid
from doamc.bands.identities import Identities
from doamc.bands.live import LiveBand, Told
from doamc.bands.placing import Place, Placer
from doamc.bands.signal import Signal
from doamc.bands.spectra import BandSlice
from doamc.errors import DoamcError
from doamc.spec import SAME_FREQUENCY, load_spec
from gr_doamc.inference.slice_queue import Slice, SliceQueue, Tuning

_BEAT_S = 0.5
TOGETHER = 4  #: signals of which whole estimates are made at once
REFERENCE_HZ = 1.0  #: of streams whose frequency is not told, for arrays that do not tell theirs


@dataclass(frozen=True)
class BandOptions:
    """What `signal_finder` was told, but for the streams."""

    array: str
    method: str
    sources: int | None
    resolution_hz: float
    slice_s: float
    threshold_db: float
    hang_s: float
    channels: tuple[Channel, ...]
    masks: tuple[tuple[float, float], ...]
    update_s: float
    one_array: bool
    tracks: bool
    device: str
    seed: int


class Listener(Protocol):
    """Who is told; called in the engine's threads."""

    def on_signals(self, messages: list[dict[str, Any]]) -> None:
        """Messages of an update."""

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
    """Slices in, messages out. Arguments that do not fit raise SpecificationError, EstimatorError or SnapshotError.

    waits: nothing is dropped, and signals wait for their whole estimates: as fast as these are, the same in every run.
    """

    def __init__(self, options: BandOptions, listener: Listener, queue_size: int, waits: bool, threads: int) -> None:
        self.options, self._listener, self._waits, self._threads = options, listener, waits, threads
        self.spec = load_spec(options.array, tunable=True)
        self.queue = SliceQueue(queue_size, waits)
        self._bands: queue.Queue[_Spectra | LiveBand | None] = queue.Queue(2)
        self._wanted: tuple[LiveBand, list[Signal]] | None = None
        self._found: list[tuple[LiveBand, list[Signal], list[Place] | None]] = []
        self._placing = threading.Condition()
        self._placer: Placer | None = None
        self._reference_hz = REFERENCE_HZ
        self.heading_deg = self.spec.heading_deg
        self._identities: Identities | None = None
        self.used = self.updates = self.placed = self.signals = self.failed = 0
        self.cpu_s = dict.fromkeys(("spectra", "signals", "estimates"), 0.0)
        self.method = self._estimator(self.spec.frequency_hz or REFERENCE_HZ).name if self._knows else options.method
        self.done = threading.Event()
        jobs = [("spectra", self._transform), ("signals", self._follow)] + (
            [] if waits else [("estimates", self._place)]
        )
        self.jobs = [threading.Thread(target=self._run, args=job, name=f"doamc-{job[0]}", daemon=True) for job in jobs]

    @property
    def _knows(self) -> bool:
        return not self.spec.in_metres or self.spec.frequency_hz is not None

    def slice_samples(self, sample_rate: float) -> int:
        """Samples of a slice at a rate."""
        return self._grid(sample_rate, 0.0).slice_samples

    def put(self, item: Slice) -> None:
        """Take a slice."""
        self.queue.put(item)

    def tune(self, item: Tuning) -> None:
        """Take a beginning."""
        self.queue.tune(item)

    def start(self) -> None:
        """Start the threads."""
        for thread in self.jobs:
            thread.start()

    def close(self, drop: bool = False) -> None:
        """Take no more; `done` is set when what waits has been told, or dropped."""
        self.queue.close(drop)

    def _grid(self, rate: float, frequency: float) -> BandGrid:
        return BandGrid(rate, frequency, self.options.resolution_hz, self.options.slice_s)

    def _estimator(self, reference_hz: float) -> SignalEstimator:
        o = self.options
        receiver = Receiver(self.spec, self.spec.channels, reference_hz)
        return SignalEstimator(receiver, o.method or None, o.sources, o.device, o.seed)

    def _run(self, name: str, job: Any) -> None:
        torch.set_num_threads(self._threads)
        try:
            job()
        except Exception as error:  # a fault that nobody foresaw ends the work, and is told
            self._fail(error)
            self.queue.close(drop=True)
            self.done.set()
        finally:
            self.cpu_s[name] += time.thread_time()

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
                live = self._begin(item)
                self._bands.put(live)
            elif item is not None and live is not None:
                try:
                    if item.lost:
                        live.finder.spectra.skip(item.lost)
                    for band in live.finder.spectra.push(item.samples):
                        own = replace(band, transform=band.transform.clone())  # its memory is used again
                        self._bands.put(_Spectra(own, item.time, began))
                    self.used += 1
                except DoamcError as error:
                    self._fail(error)
        self._bands.put(None)

    def _begin(self, tuning: Tuning) -> LiveBand:
        """What follows the signals from a tuning on."""
        o, grid = self.options, self._grid(tuning.sample_rate, tuning.frequency_hz)
        finder = SignalFinder(grid, self.spec.n_elements, o.threshold_db, o.hang_s, o.channels, o.masks)
        reference = tuning.frequency_hz or self.spec.frequency_hz or REFERENCE_HZ
        if self._placer is None or abs(reference / self._reference_hz - 1) > SAME_FREQUENCY:
            self._reference_hz = reference
            estimator = self._estimator(reference)
            self.method, self._placer = estimator.name, Placer(Bearings(estimator, o.one_array))
        if self._identities is None and o.tracks:
            self._identities = Identities(tuning.sample_rate)
        told = Told(
            self.spec.name, self.method, self.spec.channels, tuning.sample / tuning.sample_rate, tuning.time,
            self.heading_deg,
        )  # fmt: skip
        return LiveBand(finder, told, self._placer, o.update_s, self._identities)

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
            if item is None or isinstance(item, LiveBand):
                if live is not None:
                    self._tell(self._finish(live), came, began)
                    last_id = live.finder.last_id
                    if item is not None:
                        item.finder.last_id = last_id
                live = item
                if item is None:
                    break
                continue
            came, began = item.came, item.began
            if live is not None:
                updates = live.updates
                messages = self._placed(live) + live.take(item.band)
                self._tell(messages, came, began)
                self.updates += live.updates - updates
                if live.updates > updates:
                    self._want(live)
            self._listener.on_beat()
        self.done.set()
        with self._placing:
            self._placing.notify_all()

    def _finish(self, live: LiveBand) -> list[dict[str, Any]]:
        """Messages of signals that are left when a stream ends; those that have no direction yet get one first."""
        messages = self._placed(live) + live.update()
        self.updates += 1
        while not self.done.is_set() and (some := [s for s in live.wanted(TOGETHER) if not live.has_place(s.id)]):
            messages += self._estimated(live, some)
        return messages + live.finish()

    def _want(self, live: LiveBand) -> None:
        """Have whole estimates made of the signals that need them most."""
        if self._waits:
            while some := live.wanted(TOGETHER):
                self._tell(self._estimated(live, some), 0.0, 0.0)
            return
        with self._placing:
            if self._wanted is None and (some := live.wanted(TOGETHER)):
                self._wanted = live, some
                self._placing.notify_all()

    def _estimated(self, live: LiveBand, signals: list[Signal]) -> list[dict[str, Any]]:
        """Whole estimates of signals now; messages of those that have ended. One that cannot be had is left out."""
        begin = time.thread_time()
        try:
            places = live.placer(signals, live.alive)
            self.placed += len(places)
            return live.placed(places)
        except Exception as error:
            self._fail(error)
            return live.give_up(signals)
        finally:
            self.cpu_s["estimates"] += time.thread_time() - begin
            self.cpu_s["signals"] -= time.thread_time() - begin

    def _placed(self, live: LiveBand) -> list[dict[str, Any]]:
        """Messages that come of the whole estimates that were made meanwhile."""
        with self._placing:
            found, self._found = self._found, []
        out = []
        for of, signals, places in found:
            if of is live:
                out += live.placed(places) if places is not None else live.give_up(signals)
        return out

    def _place(self) -> None:
        """Whole estimates, one handful after another."""
        while not self.done.is_set():
            with self._placing:
                self._placing.wait_for(lambda: self._wanted is not None or self.done.is_set(), _BEAT_S)
                wanted = self._wanted
            if wanted is None:
                continue
            live, signals = wanted
            places: list[Place] | None = None
            try:
                places = live.placer(signals, live.alive)
                self.placed += len(places)
            except Exception as error:
                self._fail(error)
            with self._placing:
                self._found.append((live, signals, places))
                self._wanted = None

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
