"""Recorder: estimates as JSON lines, and the batches that they were made from as an annotated SigMF recording."""

from collections import deque
from typing import Any

import pmt

from doamc.errors import RecordingError, SpecificationError
from gr_doamc.runtime.message_block import guarded
from gr_doamc.runtime.messages import batch_from_pmt
from gr_doamc.runtime.outlasting_block import outlasting_block

_EARLY = 64  #: estimates that may wait for their batches: GNU Radio gives a batch to one block after the other


class recorder(outlasting_block):
    """Keeps estimates as JSON lines and batches as a SigMF recording, annotated with the estimates.

    Message port ``estimates``: each estimate is a line of ``file``.jsonl, written at once; and annotations of the batch
    that it was made from (``batch_seq``), where that came here, too. Message port ``snapshots``: batches, for
    ``file``.sigmf-data; until the flowgraph ends they and their metadata lie in files ending in .part. What a killed
    recorder left there is finished under another name (``file``-torn) when the next one begins, or by ``doamc
    recover``. Message port ``status``: as an input, connect the estimator's, so that the recorder stays until the last
    estimate has come; as an output, failures, with counters.

    Args:
        file: path without a suffix.
        max_batches: batches that are kept; later ones are counted as left out. 0 keeps none, and writes no recording.
        array: name of the array specification or path of a TOML file, for the recording, which then tells where the
            antennas of its channels stand, too. Channels stay in the order of the streams.

    Raises RecordingError when a file cannot be made, or another recorder is making it.
    """

    def __init__(self, file: str = "record", max_batches: int = 10000, array: str = "") -> None:
        inputs = {"estimates": self._on_estimate, "snapshots": self._on_snapshots, "status": self._on_status}
        outlasting_block.__init__(self, "recorder", inputs)
        if not file or max_batches < 0:
            raise RecordingError(f"expected a path and max_batches >= 0, found {file!r} and {max_batches}")
        self._path, self._limit, self._array = file, max_batches, array
        self._log: Any = None
        self._batches: Any = None
        self._early: deque[dict[str, Any]] = deque(maxlen=_EARLY)
        self.estimates = self.batches = 0
        self._open()

    def start(self) -> bool:
        """Open the files again after a stop; called by GNU Radio."""
        try:
            if self._log is None:
                self._open()
        except Exception as error:
            self.failed(error)
        return super().start()

    def stop(self) -> bool:
        """Finish the files; called by GNU Radio."""
        log, batches, self._log, self._batches = self._log, self._batches, None, None
        self._early.clear()
        for file in (log, batches):
            try:
                if file is not None:
                    file.close()
            except Exception as error:
                self.failed(error)
        return True

    def _open(self) -> None:
        from doamc.estimates.record import Recorder
        from doamc.snapshots.batch_record import BatchRecorder
        from doamc.spec import load_spec

        spec = None
        try:
            spec = load_spec(self._array, tunable=True) if self._array and self._limit else None
        except SpecificationError as error:  # a name is a name
            self.logger.warn(f"the recording does not tell where its antennas stand: {error}")
        log = Recorder(f"{self._path}.jsonl")
        try:
            if self._limit:
                self._batches = BatchRecorder(f"{self._path}.sigmf-meta", self._limit, self._array, spec)
                if self._batches.recovered is not None:
                    self.logger.warn(f"an earlier recording was torn; what was whole is {self._batches.recovered}")
        except RecordingError:
            log.close()
            raise
        self._log = log

    @guarded
    def _on_estimate(self, message: Any) -> None:
        estimate = pmt.to_python(message)
        try:
            if self._log is None:
                raise RecordingError(f"{self._path}.jsonl is closed")
            self._log.write(estimate)
            self.estimates += 1
        finally:  # the recording is closed whether or not the log can be
            if self._batches is not None and not self._annotate(estimate):
                self._early.append(estimate)

    @guarded
    def _on_snapshots(self, message: Any) -> None:
        if not self._limit:
            return
        batch = batch_from_pmt(message)
        if self._batches is None:
            raise RecordingError(f"{self._path}.sigmf-data is closed")
        self._batches.write(
            batch.snapshots, batch.seq, batch.sample_time, batch.sample_rate, batch.frequency_hz,
            batch.rx_time if batch.rx_time is not None else batch.time,
        )  # fmt: skip
        self.batches = self._batches.written
        self.counters["left_out"] = self._batches.left_out
        for _ in range(len(self._early)):
            estimate = self._early.popleft()
            if estimate.get("batch_seq") != batch.seq:
                self._early.append(estimate)
            else:
                self._annotate(estimate)

    def _annotate(self, estimate: dict[str, Any]) -> bool:
        """Annotate the batch that an estimate was made from; False where it has not come."""
        from doamc.estimates.annotations import annotation

        start = self._batches.sample_of.get(estimate.get("batch_seq"))
        if start is not None:
            self._batches.annotate([annotation(estimate, s, start) for s in estimate["sources"]])
        return start is not None

    @guarded
    def _on_status(self, message: Any) -> None:
        self.track(pmt.to_python(message))
