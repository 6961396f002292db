"""Sky imager: visibilities of a correlator in, images of the sky out, made in a thread of its own."""

import time
from typing import Any

import numpy as np
import pmt

from doamc.errors import EstimatorError, ImagingError
from doamc.imaging.integration import Integration
from doamc.text import shown
from gr_doamc.inference.batch_queue import BatchQueue
from gr_doamc.runtime.draining_block import draining_block
from gr_doamc.runtime.ending_thread import EndingThread
from gr_doamc.runtime.message_block import guarded
from gr_doamc.runtime.visibilities import visibilities_from_pmt

_HEARTBEAT_S, _STOP_S = 1.0, 2.0


class sky_imager(draining_block):
    """Images of the sky by an array, from integrated visibilities, with its coupling taken out or left in.

    V = C^-1 (R - sigma^2 I) C^-H, its dirty image by the array's steering vectors, all of which are held, CLEANed with
    the beam that the array has in each direction. Integrations wait in a bounded queue; the newest is taken first, and
    when the queue is full the oldest is dropped and counted. At the end of the stream what is queued is still imaged.

    Message port ``visibilities``: those of a `correlator`. Message port ``estimates``: those of a `doa_estimator` on
    the same streams, whose newest coupling is taken out where ``coupling`` is "estimates"; before the first one
    has come, it is left in, and the images say so.

    Message port ``sky``: a PMT dict with the keys of the JSON message (schema ``doamc.sky/1``); ``image``, ``std`` and
    ``residual`` are f64vectors, row by row, of the shape under ``shape``. Message port ``status``: a dict (schema
    ``doamc.status/1``) every second and at every failure, with counters received, imaged, dropped and failed:
    received = imaged + dropped + failed once the block has stopped.

    Args:
        array: name of a specification or path of a TOML file, with the element of each stream.
        coupling: "estimates", "none", or a file of a coupling matrix between streams, as `coupling_corrector` or
            ``doamc estimate`` writes it.
        name: that messages bear, to tell imagers of one receiver apart.
        pixels: along a side, 8 to 128.
        centre_deg: azimuth and elevation of the middle; None for the half sky that the array faces.
        half_width: sine of the angle from the middle to a side, 1 for all of the half sky.
        sources: number of sources P, whose surroundings do not count for the dynamic range, or "auto": of minimum
            description length.
        oversampling: samples to an independent one, where signals are narrower than the streams: the spread that is
            told grows with its root.
        gain: share of a peak that CLEAN takes at once.
        components: that CLEAN takes at most.
        queue_size: integrations that may wait, at least 1.
        drain_timeout: s that the end of the stream may take.

    Raises DoamcError (SpecificationError, ImagingError, CalibrationError) when the arguments do not fit.
    """

    def __init__(
        self, array: str = "uca16", coupling: str = "estimates", name: str = "sky", pixels: int = 64,
        centre_deg: Any = None, half_width: float = 1.0, sources: int | str = "auto", oversampling: float = 1.0,
        gain: float = 0.2, components: int = 300, queue_size: int = 2, drain_timeout: float = 30.0,
    ) -> None:  # fmt: skip
        inputs = {"visibilities": self._on_visibilities, "estimates": self._on_estimate}
        draining_block.__init__(self, "sky_imager", inputs, ("sky",), drain_timeout)
        if queue_size < 1 or drain_timeout < 0 or not 1 <= len(name) <= 80:
            raise ImagingError(
                "expected queue_size >= 1, drain_timeout >= 0 and a name of 1 to 80 characters, "
                f"found {queue_size}, {drain_timeout} and {shown(name)}"
            )
        from gr_doamc.inference.sky_engine import SkyEngine  # late: torch

        self.engine = SkyEngine(
            array, coupling, pixels, centre_deg, half_width, sources, oversampling, gain, components
        )  # fmt: skip
        self._name, self._size = name, queue_size
        self._coupling: np.ndarray | None = None
        self._ready()

    def start(self) -> bool:
        """Start the thread; called by GNU Radio."""
        self._ready()
        self._thread.start()
        self.post("status", self.status("running"))
        return super().start()

    def stop(self) -> bool:
        """End the thread, giving a running image two seconds; called by GNU Radio."""
        self.end_run()
        self._queue.close()
        if self._thread.is_alive():
            self._thread.join(_STOP_S)
        return True

    def done(self) -> bool:
        """Whether every integration has been imaged, dropped or refused, or was given up."""
        return self._given_up or self._queue.received <= self.imaged + self._failed + self._queue.dropped

    def give_up(self) -> None:
        """Drop what waits; nothing comes of what is in work."""
        self._given_up = True
        self._queue.close()
        self.wake()

    def status(self, state: str) -> dict[str, Any]:
        """Status message with the counts of integrations."""
        q, refused = self._queue, self._refused
        counts = {
            "received": q.received + refused, "imaged": self.imaged, "dropped": q.dropped,
            "failed": self._failed + refused,
        }  # fmt: skip
        return super().status(state) | {"seq": self.imaged - 1, "counters": counts, "name": self._name}

    @guarded
    def _on_visibilities(self, message: Any) -> None:
        try:
            made = visibilities_from_pmt(message)
        except Exception:
            self._refused += 1
            raise
        self._queue.put(made)

    @guarded
    def _on_estimate(self, message: Any) -> None:
        estimate = pmt.to_python(message)
        if not isinstance(estimate, dict) or "coupling" not in estimate:
            raise EstimatorError(f"expected an estimate, found {shown(estimate)}; connect a doa_estimator")
        if estimate.get("array") != self.engine.spec.name:
            found = shown(estimate.get("array"))
            raise EstimatorError(f"expected estimates of {self.engine.spec.name!r}, found {found}")
        if estimate["coupling"] is not None:
            self._coupling = np.array(estimate["coupling"]["re"]) + 1j * np.array(estimate["coupling"]["im"])

    def _ready(self) -> None:
        self._queue: BatchQueue[Integration] = BatchQueue(self._size)
        self._thread = EndingThread(self._run, "doamc-sky", self._queue.close)
        self._coupling = None
        self.begin_run()
        self.imaged = self._failed = self._refused = self.counters["failed"] = 0
        self._given_up = False

    def _run(self) -> None:
        beat = time.monotonic()
        while not self._queue.closed:
            made = self._queue.take(_HEARTBEAT_S)
            if made is not None:
                self._settle(made)
            if time.monotonic() >= beat + _HEARTBEAT_S:
                beat = time.monotonic()
                self.tell_running()

    def _settle(self, made: Integration) -> None:
        try:
            message = self.engine.image(made, self._coupling, self.imaged, self._name, self._queue.dropped)
            if not self._given_up:
                flat = {key: value.reshape(-1) for key, value in message.items() if isinstance(value, np.ndarray)}
                self.post("sky", message | flat | {"shape": list(message["image"].shape)})
            self.imaged += 1
        except Exception as error:
            self._failed += 1
            self.failed(error)
        if self.upstream_done:
            self.wake()
