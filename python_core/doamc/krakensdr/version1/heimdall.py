"""Session with a heimdall IQ server: frames are asked for one by one, and judged by their headers.

The original server ends by SIGPIPE when its client leaves while a frame is on its way: a frame that was asked for is
read to its end before the client says ``q``, however it is stopped, unless the server does not send it in time.
"""

from contextlib import suppress

import numpy as np

from doamc.errors import ReceiverError
from doamc.krakensdr.frame import Frame
from doamc.krakensdr.link import Halt, Link
from doamc.krakensdr.pool import Buffer
from doamc.krakensdr.session import ABSENT, MISMATCH, STREAMING, UNSYNCHRONISED, Desk, Session
from doamc.krakensdr.version1.counters import Counters, Numbering
from doamc.krakensdr.version1.frame import DATA, HEADER_SIZE, Header

PORT = 5000
#: frames may be this many times later than their own signal time before they count as stalled
_PATIENCE = 3.0
#: the first frame of a connection may take so many timeouts, and so many s: how long frames last is not known yet, and
#: to leave too early ends the server
_FIRST, _FIRST_S = 4.0, 2.0
#: no header is waited for longer, whatever duration the one before announced, s
_LONGEST_S = 30.0
#: at a stop, the signal time of the frame on its way counts up to a limit, s
_LEAVE_SIGNAL_S = 8.0


class Heimdall(Session):
    """Version 1 of the protocol.

    n_channels: channels M expected; None takes any. timeout_s: silence within a frame that counts as a stall, as does
    less than `link.SLOWEST`. The next header may take three frames; the first one of a connection four timeouts, or
    2 s, up to 8 times that while connections bring nothing; 30 s at most. buffers: frames at once; while none is free
    the server is not asked for more (what it drops meanwhile is a gap, counted as lost).
    Attributes: counters, header (the latest, or None).
    """

    version, speaks_first = 1, False
    counters: Counters

    def __init__(
        self, port: int = PORT, n_channels: int | None = None, timeout_s: float = 1.5, buffers: int = 3
    ) -> None:
        if not timeout_s > 0 or buffers < 1 or not 0 < port < 65536:
            raise ReceiverError(
                f"expected timeout_s > 0, buffers >= 1 and a port 1..65535, found {timeout_s}, {buffers} and {port}"
            )
        super().__init__(port, timeout_s)
        self._channels, self._buffers = n_channels, buffers
        self.counters = Counters()
        self.header: Header | None = None
        self._numbering = Numbering(self.counters)
        self._lost, self._first = 0, True  # what the next good frame will tell
        self._kept_back: dict[str, int] = {}

    @property
    def heard(self) -> int:
        """Complete frames that came so far."""
        return self.counters.frames

    @property
    def leave_s(self) -> float:
        """The frame on its way may take its own duration."""
        return 0.0 if self.header is None else min(self.header.duration_s, _LEAVE_SIGNAL_S)

    def failed(self, state: str) -> None:
        """An attempt or a connection has ended, in this state of the client."""
        super().failed(state)
        if state == ABSENT:
            self._numbering.absent()

    def run(self, link: Link, halt: Halt, desk: Desk) -> None:
        """Ask for frames until the end."""
        self._first = fresh = True
        self._numbering.connected()
        request = b"streaming"
        head = bytearray(HEADER_SIZE)
        while (buffer := desk.pool.take(self._buffers, halt)) is not None:
            frame = None
            try:
                link.send(request)
                frame = self._receive(link, head, buffer, fresh, desk)
            finally:
                if frame is None:
                    desk.pool.give(buffer)
            if frame is not None:
                desk.pool.put(frame, buffer)
            request, fresh = b"IQDownload", False
        with suppress(OSError):
            link.send(b"q")

    def _receive(self, link: Link, head: bytearray, buffer: Buffer, fresh: bool, desk: Desk) -> Frame | None:
        """Read one frame; None when it is not to be passed on. fresh: it is the first one of its connection."""
        link.read(HEADER_SIZE, head, self._patience_s(fresh))
        try:
            header = Header.parse(head)
        except ReceiverError:
            self._numbering.malformed()
            raise
        self._doublings = 0
        repeated, missing, anew = self._numbering.see(header)
        self._lost += missing
        self._first |= anew
        self.header = header
        fault = self._fault(header)
        size = header.payload_size
        if len(buffer.data) < size:
            buffer.data = bytearray()
        try:
            link.read(size, None if repeated or fault else buffer.data, self.timeout_s)
        except (OSError, ReceiverError):
            if not repeated:
                self._numbering.broken()
                self._lost += 1
            raise
        if repeated:
            self.counters.duplicates += 1
            return None
        return self._judge(header, fault, buffer, desk)

    def _fault(self, header: Header) -> str | None:
        """Why a frame is kept back, by the name of its counter; None when it is good."""
        if header.frame_type != DATA:
            return "not_data"
        if not header.synchronised:
            return "not_synchronised"
        if self._channels not in (None, header.active_ant_chs):
            return "wrong_channels"
        return None if header.usable else "wrong_samples"

    def _judge(self, header: Header, fault: str | None, buffer: Buffer, desk: Desk) -> Frame | None:
        """A complete frame, or None when it is of no use; either way it is counted."""
        count = self.counters
        count.frames += 1
        if fault is not None:
            setattr(count, fault, getattr(count, fault) + 1)
            self._kept_back[fault] = self._kept_back.get(fault, 0) + 1
            if fault == "wrong_channels":
                desk.tell(MISMATCH, f"expected {self._channels} channels, found {header.active_ant_chs}")
            else:
                desk.tell(UNSYNCHRONISED)
            return None
        count.passed += 1
        count.overdriven += header.adc_overdrive_flags != 0
        shape = header.active_ant_chs, header.cpi_length
        samples = np.frombuffer(buffer.data, "<c8", shape[0] * shape[1]).reshape(shape)
        frame = Frame(
            samples, header.time_stamp / 1000, header.rf_center_freq, header.sampling_freq, header.gains_db,
            header.sync_state, header.overdriven, header.cpi_index, first=self._first,
            gap=bool(self._lost or self._first or self._kept_back), lost=self._lost, kept_back=self._kept_back,
        )  # fmt: skip
        self._lost, self._first, self._kept_back = 0, False, {}
        desk.tell(STREAMING)
        return frame

    def _patience_s(self, fresh: bool) -> float:
        """How long the next header may take."""
        known = 0.0 if self.header is None else _PATIENCE * self.header.duration_s
        least = max(_FIRST * self.timeout_s, _FIRST_S) if fresh else self.timeout_s
        return min(max(known, least * 2**self._doublings), _LONGEST_S)
