"""What a client receives kept as a SigMF recording, with what happened to the receiver as annotations.

The samples are those that a flowgraph would get: of calibrated channels, each channel's offset removed, 1.0 the full
scale of version 2. A capture begins at every gap, with its time and frequency. An annotation stands wherever something
changed or is missing, with keys of the ``doamc`` namespace:

    doamc:kept_back    packets or frames before this sample that were of no use, by reason; ``lost``: that should have
                       come and did not, as far as is known
    doamc:connected    where the connection is new
    doamc:gains_db     gain of each channel            doamc:sync_state    the server's number for its calibration
    doamc:overdriven   channels whose converter was overdriven (of version 1)
    doamc:packet_samples   samples a channel of each packet of version 2, and
    doamc:between      what was kept back, in order (`version2.runs`): by these two, it is replayed as it was received

The global object has ``doamc:receiver`` (version of the protocol, and what the receiver told of itself) and
``doamc:counters``, unless the recorder was killed.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from doamc.errors import ReceiverError
from doamc.krakensdr.client import Client
from doamc.krakensdr.frame import Frame
from doamc.krakensdr.version2.runs import MOST
from doamc.snapshots.stream_record import StreamRecorder

#: a frame is waited for so long before `on_tick` is called, s
_WAIT_S = 0.2
#: what frequencies may differ by, since some are told in single precision
_SAME = 1e-6


class Tape:
    """Frames on their way into a recorder.

    duration_s: of signal, after which nothing more is kept. frequency_hz: frames of another one are left out, since the
    receiver is not tuned yet; None keeps all.
    Attributes: full (whether there is so much), kept_back (what was of no use, by reason: as the client says, ``lost``,
    ``other_channels`` than the first frame kept, ``other_frequency``).
    """

    def __init__(
        self, recorder: StreamRecorder, duration_s: float = math.inf, frequency_hz: float | None = None
    ) -> None:
        self._recorder, self._duration_s, self._frequency_hz = recorder, duration_s, frequency_hz
        self._state: dict[str, Any] = {}
        self._missing: dict[str, int] = {}  # since the last frame that was kept
        self._between = deque[Any](maxlen=MOST)  # the same, in order
        self.full = False
        self.kept_back: dict[str, int] = {}

    def keep(self, frame: Frame) -> None:
        """Append a frame, and an annotation where it tells something new.

        Raises RecordingError when the disk is full.
        """
        for reason, count in (*frame.kept_back.items(), ("lost", frame.lost)):
            self._miss(reason, count)
        self._between += frame.between
        form = self._recorder.form
        if form is not None and len(frame.samples) != form[0]:
            return self._leave_out("other_channels", frame)
        wanted_hz = self._frequency_hz or frame.frequency_hz
        if abs(frame.frequency_hz - wanted_hz) > _SAME * wanted_hz:
            return self._leave_out("other_frequency", frame)
        start, rate_hz = self._recorder.samples, frame.sample_rate_hz
        left = math.inf if math.isinf(self._duration_s) else max(1, round(self._duration_s * rate_hz)) - start
        samples = frame.samples[:, : int(min(frame.samples.shape[1], left))]
        gap = frame.gap or bool(self._missing)
        self._recorder.write(samples, rate_hz, frame.frequency_hz, frame.time_s, gap)
        self.full = samples.shape[1] >= left
        if told := self._told(frame):
            self._recorder.annotate([{"core:sample_start": start, "core:label": "gap" if gap else "state", **told}])

    def _miss(self, reason: str, count: int) -> None:
        for table in (self._missing, self.kept_back) if count else ():
            table[reason] = table.get(reason, 0) + count

    def _leave_out(self, reason: str, frame: Frame) -> None:
        """A good frame, of which each packet counts."""
        packet = frame.packet_samples
        count = 1 if packet is None else frame.samples.shape[1] // packet
        self._miss(reason, count)
        if packet is None:
            return
        told = {
            "reason": reason, "packets": count, "phase_state": frame.sync_state, "noise_source": False,
            "retuning": False, "samples": packet, "frequency_hz": frame.frequency_hz,
            "gains_db": _finite(frame.gains_db),
        }  # fmt: skip
        last = self._between[-1] if self._between else {}
        if last | {"packets": count} == told:
            told["packets"] += last["packets"]
            self._between.pop()
        self._between.append(told)

    def _told(self, frame: Frame) -> dict[str, Any]:
        """What is new with a frame, as keys of an annotation."""
        state: dict[str, Any] = {"doamc:gains_db": _finite(frame.gains_db), "doamc:sync_state": frame.sync_state}
        if frame.packet_samples is not None:
            state["doamc:packet_samples"] = frame.packet_samples
        if frame.overdriven is not None:
            state["doamc:overdriven"] = [m for m, over in enumerate(frame.overdriven) if over]
        told = {key: value for key, value in state.items() if self._state.get(key) != value}
        if frame.first:
            told["doamc:connected"] = True
        if self._missing:
            told["doamc:kept_back"] = self._missing
        if self._between:
            told["doamc:between"] = list(self._between)
        self._state, self._missing = state, {}
        self._between.clear()
        return told


def _finite(gains_db: tuple[float, ...]) -> list[float | None]:
    return [g if math.isfinite(g) else None for g in gains_db]


def record(
    client: Client, tape: Tape, patience_s: float = math.inf, on_tick: Callable[[], None] = lambda: None
) -> None:
    """Keep what a client receives until the tape is full.

    client: started by the caller. patience_s: how long no samples may come. on_tick: called after every frame, and
    every 0.2 s without one.
    Raises ReceiverError when nothing came for too long, RecordingError when the disk is full.
    """
    latest = time.monotonic()
    while not tape.full:
        frame = client.get(_WAIT_S)
        if frame is not None:
            try:
                tape.keep(frame)
            finally:
                client.release(frame)
            latest = time.monotonic()
        elif time.monotonic() > latest + patience_s:
            why = client.last_error or client.state
            raise ReceiverError(f"expected samples, found none for {patience_s:g} s ({client.state}: {why})")
        on_tick()
