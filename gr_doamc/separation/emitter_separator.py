"""Emitter separator: N streams of an array in, P streams out, one an emitter."""

import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pmt

from doamc.calibration.fading import FadingMatrix
from doamc.denoising.bearing_tracks import BearingTracks
from doamc.denoising.separation import Separator, responses
from doamc.errors import EstimatorError
from doamc.protocol import WAVEFORMS_SCHEMA
from doamc.spec import ArraySpec, load_spec
from doamc.spec.numbering import checked_channels
from doamc.text import shown
from gr_doamc.runtime.message_block import block_status, guarded
from gr_doamc.runtime.stream_arrays import channels_block
from gr_doamc.runtime.stream_guard import guarded_work

if TYPE_CHECKING:
    from doamc.arrays.element_pattern import ElementPattern

_TAG = "emitter"
#: samples by which a new filter is brought to the phase of the one before
_OVERLAP = 2048
#: s from one message of waveforms to the next, at least
_SHOW_S = 0.5


class emitter_separator(channels_block):
    """Parts the emitters that an array hears, at the sample rate of its streams, for demodulators behind it.

    Every sample is filtered, none is lost, added or delayed: with the scene of the newest estimate (directions,
    coupling, powers and noise) stream k carries the posterior mean of what the emitter of track k sends, as an
    uncoupled element at the origin would receive it. The other emitters of the scene are kept out, those too that have
    no stream.

    A stream goes on with its emitter through fades and crossings (`doamc.tracks`). A new filter comes in by a
    cross-fade, and in the phase that the one before gives to the same samples, so that a demodulator does not notice.
    Where a stream gets another emitter it has a tag ``emitter``: a dict of ``track`` (number) and ``azimuth_deg``. A
    stream without an emitter is zero. Tags of input 0 are passed on to all streams.

    Message port ``estimates``: those of a `doa_estimator` on the same streams. One at a time waits for the next
    samples; where a newer one comes before, it is passed over (counter ``superseded``), and so is one of an older batch
    than the last (``stale``): received = updates + superseded + stale + failed, and one that may wait; ``missed``
    counts the tracks that an update did not see. Message port ``status``: a dict (schema ``doamc.status/1``) at every
    change, with ``tracks`` (azimuth_deg of each stream, None where it has none) and counters.

    Message port ``waveforms``: where ``show`` is not 0, a dict (schema ``doamc.waveforms/1``) with that many of the
    latest samples of every stream and of input 0, to look at, two a second at most.

    Args:
        array: name of a specification or path of a TOML file, that of the estimates.
        n_elements: number of streams expected; 0 takes that of the array.
        sources: number of streams that come out, P.
        rate_deg_s: how fast bearings turn, standard deviation, degrees a second.
        hold: estimates in a row that may miss an emitter before its stream is given away.
        fade: samples of a cross-fade; 0 switches.
        show: samples of a message on ``waveforms``, 0 for no messages.

    Raises SpecificationError or EstimatorError when an argument does not fit.
    """

    def __init__(
        self, array: str = "ula8", n_elements: int = 0, sources: int = 2, rate_deg_s: float = 1.0, hold: int = 20,
        fade: int = 256, show: int = 0,
    ) -> None:  # fmt: skip
        self.spec: ArraySpec = load_spec(array, tunable=True)
        n = self.spec.n_elements
        if n_elements not in (0, n):
            raise EstimatorError(f"expected {n} streams for {self.spec.name}, found n_elements = {n_elements}")
        if not 1 <= sources < n or fade < 0 or not 0 <= show <= _OVERLAP:
            raise EstimatorError(
                f"expected sources in 1..{n - 1}, fade >= 0 and show in 0..{_OVERLAP}, "
                f"found {sources}, {fade} and {show}"
            )
        channels_block.__init__(self, "emitter_separator", n, n_outputs=sources)
        self._fade, self._places, self._show, self._shown = fade, sources, show, -_SHOW_S
        self._separator = Separator(BearingTracks(sources, rate_deg_s, hold), n)
        self._matrix = FadingMatrix(n, sources)
        self._matrix.fade_to(np.zeros((sources, n), complex))
        self._recent = np.zeros((n, _OVERLAP), np.complex64)
        self._next: dict[str, Any] | None = None
        self._turn = threading.Lock()  # of those who bring an estimate and of the thread that takes it
        self._batch = -1
        self.failure: Exception | None = None
        self.last_error: str | None = None
        self.counters = {"received": 0, "updates": 0, "superseded": 0, "stale": 0, "failed": 0, "missed": 0}
        for port in ("status", "waveforms"):
            self.message_port_register_out(pmt.intern(port))
        self.message_port_register_in(pmt.intern("estimates"))
        self.set_msg_handler(pmt.intern("estimates"), self._on_estimate)

    @guarded_work
    def work(self, input_items: list[np.ndarray], output_items: list[np.ndarray]) -> int:
        """Filter; a new scene comes in with the first sample."""
        with self._turn:
            scene, self._next = self._next, None
        if scene is not None:
            self._take(scene)
        self._matrix.apply(input_items, output_items)
        count = len(output_items[0])
        self._pass_tags(count)
        kept = min(count, _OVERLAP)
        self._recent[:, : _OVERLAP - kept] = self._recent[:, kept:].copy()
        for row, stream in zip(self._recent, input_items, strict=True):
            row[_OVERLAP - kept :] = stream[count - kept :]
        if self._show and count >= self._show and time.monotonic() >= self._shown + _SHOW_S:
            self._shown = time.monotonic()
            self._show_samples(input_items[0][-self._show :], [out[-self._show :] for out in output_items])
        return count

    def failed(self, error: Exception, taken: bool = False) -> None:
        """Log, count and tell why an estimate could not be used; taken: it had been received before."""
        self.counters["failed"] += 1
        self.counters["received"] += not taken
        self.last_error = f"{type(error).__name__}: {error}"
        self.logger.error(self.last_error)
        self._publish("error")

    def status(self, state: str = "running") -> dict[str, Any]:
        """Status message of now."""
        tracks = self._separator.tracks.tracks
        found = [None if track is None else track.azimuth_deg for track in tracks]
        return block_status(self, state, self._batch, self.counters, self.last_error) | {"tracks": found}

    def _take(self, scene: dict[str, Any]) -> None:
        try:
            fresh = self._separator.update(samples=self._recent.astype(complex), **scene)
        except Exception as error:
            self.failed(error, taken=True)
            return
        self._matrix.fade_to(self._separator.filters, self._fade)
        self.counters["updates"] += 1
        for port, track in enumerate(self._separator.tracks.tracks):
            self.counters["missed"] += track is not None and track.missed > 0
            if fresh[port] and track is not None:
                told = pmt.to_pmt({"track": track.number, "azimuth_deg": track.azimuth_deg})
                self.add_item_tag(port, self.nitems_written(0), pmt.intern(_TAG), told)
        self._publish()

    def _pass_tags(self, count: int) -> None:
        begin = self.nitems_read(0)
        for tag in self.get_tags_in_range(0, begin, begin + count):
            for port in range(self._places):
                self.add_item_tag(port, tag.offset, tag.key, tag.value)

    @guarded
    def _on_estimate(self, message: Any) -> None:
        estimate = pmt.to_python(message)
        if not isinstance(estimate, dict) or "sources" not in estimate:
            raise EstimatorError(f"expected an estimate, found {shown(estimate)}; connect a doa_estimator")
        if estimate.get("array") != self.spec.name:
            raise EstimatorError(f"expected estimates of {self.spec.name!r}, found {shown(estimate.get('array'))}")
        batch = int(estimate.get("batch_seq", self._batch + 1))
        if batch < self._batch:
            self.counters["stale"] += 1
            self.counters["received"] += 1
            return
        self._batch = batch
        scene = self._scene(estimate)
        with self._turn:
            self.counters["superseded"] += self._next is not None
            self._next = scene
            self.counters["received"] += 1

    def _scene(self, estimate: dict[str, Any]) -> dict[str, Any]:
        """Arguments of `Separator.update` but the samples, between streams."""
        sources = [s for s in estimate["sources"] if s["power_db"] is not None]
        azimuth = [float(s["azimuth_deg"]) for s in sources]
        c = estimate.get("coupling")
        coupling = None if c is None else np.array(c["re"]) + 1j * np.array(c["im"])
        spec = self.spec.tuned(estimate.get("frequency_hz")) if self.spec.in_metres else self.spec
        raised = any("elevation_deg" in s for s in sources)
        elevation = [float(s.get("elevation_deg") or 0.0) for s in sources] if raised else None
        v = responses(spec.positions.numpy(), coupling, azimuth, elevation)
        if spec.element is not None:  # powers are told of what is incident
            v = v * gains(spec.element, azimuth, elevation)
        channels = checked_channels(
            list(estimate.get("channels", self.spec.channels)), len(v), "channels of an estimate"
        )
        power = 10 ** (np.array([float(s["power_db"]) for s in sources]) / 10)
        return {
            "v": v[list(channels)], "azimuth_deg": azimuth, "power": power,
            "noise_power": float(estimate["noise_power"]), "std_deg": [s.get("std_deg") for s in sources],
            "time_s": float(estimate.get("sample_time", estimate.get("time", 0.0))),
        }  # fmt: skip

    def _show_samples(self, heard: np.ndarray, streams: list[np.ndarray]) -> None:
        def parts(samples: np.ndarray) -> dict[str, Any]:
            return {
                "re": samples.real.astype(float).round(4).tolist(),
                "im": samples.imag.astype(float).round(4).tolist(),
            }

        pairs = zip(self._separator.tracks.tracks, streams, strict=True)
        emitters = [
            {"azimuth_deg": None if track is None else track.azimuth_deg, "samples": parts(stream)}
            for track, stream in pairs
        ]
        message = {
            "schema": WAVEFORMS_SCHEMA, "time": time.time(), "array": self.spec.name, "heard": parts(heard),
            "emitters": emitters,
        }  # fmt: skip
        self.message_port_pub(pmt.intern("waveforms"), pmt.to_pmt(message))

    def _publish(self, state: str = "running") -> None:
        self.message_port_pub(pmt.intern("status"), pmt.to_pmt(self.status(state)))


def gains(pattern: "ElementPattern", azimuth_deg: list[float], elevation_deg: list[float] | None) -> np.ndarray:
    """Amplitudes (S,) that elements with a pattern receive."""
    import torch

    level = torch.zeros(len(azimuth_deg)) if elevation_deg is None else torch.tensor(elevation_deg)
    azimuth = torch.tensor(azimuth_deg, dtype=torch.float64)
    return pattern.gain(azimuth.deg2rad(), level.double().deg2rad()).numpy()
