"""DOA estimator: batches of snapshots in, directions and coupling out, inferred in a worker thread of its own."""

import math
import time
from typing import Any

from doamc.errors import DoamcError, EstimatorError
from gr_doamc.inference.worker import Worker
from gr_doamc.runtime.draining_block import draining_block
from gr_doamc.runtime.message_block import guarded
from gr_doamc.runtime.messages import Batch, batch_from_pmt

#: time that a running inference gets when the flowgraph is stopped, s
_STOP_S = 2.0


class doa_estimator(draining_block):
    """Directions of arrival and coupling of every batch that the engine has time for, inferred in a worker thread.

    Message port ``snapshots``: batches of a `snapshot_buffer`. They wait in a bounded queue; the newest is taken
    first, and when the queue is full the oldest is dropped and counted. A batch that cannot be used (NaN, a dead
    channel, another number of channels) is logged with its cause, counted, and the block goes on. At the end of the
    stream what is queued is still estimated, for ``drain_timeout`` at most.

    Message port ``estimates``: a PMT dict with the keys of the JSON message (schema ``doamc.estimate/1``) and
    ``batch_seq``, the number of the batch: gaps in ``seq`` are estimates lost on the way, gaps in
    ``batch_seq`` are batches dropped, and ``batch_seq`` steps back where an older batch is estimated after a newer one.
    Message port ``status``: a dict (schema ``doamc.status/1``) every second and at every failure, with counters
    received, estimated, dropped and failed: received = estimated + dropped + failed once the block has stopped. Where
    the frequency of the batches is not that of the array, a line under ``warning`` says so (and under ``last_error``,
    while there is no other).

    Args:
        array: name of a specification or path of a TOML file. It says, too, which element each stream of the batches
            comes from (``order``, ``channels``); the coupling is between elements. One in metres follows the batches'
            ``frequency_hz``.
        method: name of an estimator, see ``doamc methods``; "" for the default one.
        sources: number of sources P, 1..N-1, or "auto": the most probable one by methods that have an evidence, as the
            default one has, else that of minimum description length; batch by batch.
        noise_power: noise power per element where it is known, linear, else None.
        queue_size: batches that may wait, at least 1.
        threads: threads that torch may use.
        device: of torch, cpu or cuda, for methods that take one.
        seed: of methods that draw samples.
        on_error: "continue", or "stop" to end at the first batch that cannot be used; connect ``status`` to the
            buffer's ``stop`` to end the stream with it.
        drain_timeout: s that the end of the stream may take.
        calibration: file of method self-calibrating (which "" then stands for), read where it exists and kept up to
            date; "" for none. Messages carry key ``calibration``: batches, learnt, changes, coupling_std.
        heading_deg: bearing of the array's +x axis, clockwise from true north; None for that of the array's [mount].
            Where either is told, messages carry ``heading_deg`` and every source its ``bearing_deg``.

    Raises DoamcError (SpecificationError, EstimatorError, CheckpointError) when the arguments do not fit.
    """

    def __init__(
        self, array: str = "ula8", method: str = "", sources: int | str = "auto", noise_power: float | None = None,
        queue_size: int = 4, threads: int = 1, device: str = "cpu", seed: int = 0, on_error: str = "continue",
        drain_timeout: float = 30.0, calibration: str = "", heading_deg: float | None = None,
    ) -> None:  # fmt: skip
        inputs = {"snapshots": self._on_snapshots}
        draining_block.__init__(self, "doa_estimator", inputs, ("estimates",), drain_timeout)
        if queue_size < 1 or threads < 1 or drain_timeout < 0:
            raise EstimatorError(
                "expected queue_size and threads >= 1 and drain_timeout >= 0, "
                f"found {queue_size}, {threads} and {drain_timeout}"
            )
        if on_error not in ("continue", "stop"):
            raise EstimatorError(f"on_error must be continue or stop, found {on_error!r}")
        if heading_deg is not None and not math.isfinite(heading_deg):
            raise EstimatorError(f"heading_deg must be degrees, or None when it is unknown, found {heading_deg}")
        self._heading_deg = heading_deg
        from gr_doamc.inference.engine import Engine  # late: torch; Companion and its compiler may import this file

        self.engine = Engine(array, method, sources, noise_power, device, seed, calibration)
        self._queue_size, self._threads = queue_size, threads
        self._stops = on_error == "stop"
        self._warned: str | None = None
        self._ready()

    @property
    def heading_deg(self) -> float | None:
        """Bearing of the +x axis, clockwise from true north: as told, else by the array's mount; None when unknown."""
        return self.engine.spec.heading_deg if self._heading_deg is None else self._heading_deg

    def set_heading_deg(self, heading_deg: float | None) -> None:
        """Tell another heading, as of a vehicle; from any thread. One that is no number is taken as unknown."""
        self._heading_deg = None if heading_deg is None or not math.isfinite(heading_deg) else float(heading_deg)

    @property
    def engine_cpu_s(self) -> float:
        """Processor time that the engine has used, s."""
        return self._worker.engine_cpu_s

    def start(self) -> bool:
        """Start the worker; called by GNU Radio."""
        self._ready()
        self._worker.start()
        self.post("status", self.status("running"))
        return super().start()

    def stop(self) -> bool:
        """End the worker, giving a running inference two seconds; called by GNU Radio."""
        self.end_run()
        self._worker.close()
        self._worker.join(_STOP_S)
        try:
            self.engine.close()
        except DoamcError as error:
            self.failed(error)
        return True

    def done(self) -> bool:
        """Whether every batch has been estimated, dropped or refused."""
        return self._worker.idle

    def give_up(self) -> None:
        """Drop what waits and what is in work."""
        self._worker.abandon()
        self.wake()

    def status(self, state: str) -> dict[str, Any]:
        """Status message with the counts of batches."""
        worker, refused = self._worker, self._refused
        counts = {
            "received": worker.received + refused, "estimated": worker.estimated, "dropped": worker.dropped,
            "failed": worker.failed + refused,
        }  # fmt: skip
        engine = {"engine_cpu_s": worker.engine_cpu_s, "method": self.engine.method}
        message = super().status(state) | {"seq": worker.estimated - 1, "counters": counts} | engine
        if self.engine.warning is not None:
            told = {"warning": self.engine.warning, "last_error": message["last_error"] or self.engine.warning}
            message |= told
        return message

    def on_estimate(self, batch: Batch, values: dict[str, Any], latency_ms: dict[str, float], seq: int) -> None:
        """Publish an estimate; called by the worker."""
        from doamc.estimates.message import make_message

        if self.engine.warning != self._warned:
            self._warned = self.engine.warning
            self.logger.warn(self._warned)
            self.post("status", self.status("running"))
        message = make_message(
            seq=seq, time=time.time(), sample_time=batch.sample_time, frequency_hz=batch.frequency_hz,
            array=self.engine.spec.name, method=self.engine.method, snapshots=batch.snapshots.shape[1],
            latency_ms=latency_ms, dropped_batches=self._worker.dropped, batch_seq=batch.seq, rx_time=batch.rx_time,
            heading_deg=self.heading_deg, alike=self.engine.spec.alike, **values,
        )  # fmt: skip
        self.post("estimates", message)

    def on_failure(self, error: Exception) -> None:
        """Tell of a batch that could not be used; called by the worker."""
        self.failed(error)
        if self._stops:
            self._worker.close()
            self.tell_stopped()

    def on_heartbeat(self) -> None:
        """Publish the status; called by the worker."""
        self.tell_running()

    def on_idle(self) -> None:
        """Look whether all is done; called by the worker."""
        if self.upstream_done:
            self.wake()

    @guarded
    def _on_snapshots(self, message: Any) -> None:
        try:
            batch = batch_from_pmt(message)
        except Exception:
            self._refused += 1
            raise
        self._worker.put(batch)

    def _ready(self) -> None:
        self._worker = Worker(self.engine, self, self._queue_size, self._threads)
        self._refused = self.counters["failed"] = 0
        self._warned = None
        self.begin_run()
