"""KrakenSDR source: the channels of a heimdall server as streams, and its settings."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pmt
from gnuradio import gr

from doamc.errors import ReceiverError
from doamc.text import shown
from gr_doamc.runtime.message_block import block_status, guarded
from gr_doamc.runtime.messages import CAPTURE
from gr_doamc.runtime.stream_guard import WORK_DONE, guarded_work

if TYPE_CHECKING:
    from doamc.heimdall import Frame

#: how long `work` waits for samples before GNU Radio may ask whether to stop, s
_WAIT_S = 0.05
#: samples of an output buffer: a frame then leaves in few calls, which cost 0.2 ms each
_BUFFER = 1 << 17
#: states of a status message by those of the link; any other is an error
_STATES = {"streaming": "running", "stopped": "stopped", "waiting": "idle", "unsynchronised": "idle"}


class heimdall_source(gr.sync_block):
    """N complex streams from a KrakenSDR (heimdall server), coherent and synchronised.

    Only frames of data whose channels are synchronised in time and phase leave as samples; all others are counted. A
    server that is absent, closes, stalls or sends garbage never holds up the flowgraph: the block connects again, with
    a back-off of half a second at most. The stream has no samples meanwhile; a gap shows in the tags.

    Tags, on every stream, at the first sample of a frame: ``rx_time`` (tuple of whole and fractional Unix seconds);
    and where they changed, or samples are missing: ``rx_freq`` and ``rx_rate`` (Hz), ``rx_gain`` (dB, of the channel),
    ``sync_state`` (6: tracking), ``overdrive`` (bool, of the channel), ``frames_lost`` (frames missing before this
    one; 0 where only time may have jumped: the connection or the server is new), ``doamc_capture`` (where frequency or
    rate changed: the number of that sample).

    Message port ``status``: a dict (schema ``doamc.status/1``) every second and at every change, with ``link``
    (absent, waiting, streaming, unsynchronised, mismatch, stopped) and the counters of `doamc.heimdall.Counters`.
    Message port ``control``: a dict with any of ``frequency_hz``, ``gain_db`` (one, or one a channel), ``agc`` (true)
    and ``squelch``; sent to the control server until it confirms, failures are told on ``status``.

    When it stops, a frame that is on its way is read first, for the original server ends when its client just leaves:
    that takes as long as a frame, and two seconds more at most.

    Args:
        host: name or address of the server.
        port: of its data.
        control_port: of its control server; 0 for none.
        n_elements: number of channels N.
        frequency_hz: centre frequency to set at the start, Hz; 0 leaves it.
        gain_db: gain to set at the start, 0 to 50 dB, or list of N: the tuner's nearest steps; None leaves them.
        timeout: s of silence that count as a stall, as far as frames are shorter than a third of it.
        duration: s of stream after which it ends; 0 goes on for ever.

    Raises ReceiverError when an argument is out of range.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 5000, control_port: int = 5001, n_elements: int = 5,
        frequency_hz: float = 0.0, gain_db: Any = None, timeout: float = 1.5, duration: float = 0.0,
    ) -> None:  # fmt: skip
        from doamc.heimdall import Client, Settings  # late: sockets and files that GNU Radio Companion has no use for

        if (
            not 1 <= n_elements <= 32 or not 0 <= control_port < 65536
            or not 0 <= duration < math.inf or not frequency_hz >= 0
        ):  # fmt: skip
            raise ReceiverError(
                "expected n_elements 1..32, control_port 0..65535 and frequency_hz and duration >= 0, "
                f"found {n_elements}, {control_port}, {frequency_hz} and {duration}"
            )
        gr.sync_block.__init__(self, name="heimdall_source", in_sig=None, out_sig=[np.complex64] * n_elements)
        self.client = Client(host, port, n_elements, timeout, on_state=self._on_state)
        self.settings = Settings(host, control_port, n_elements, self.client, self._publish)
        self._host, self._control_port, self._n = host, control_port, n_elements
        self._duration = duration
        self.failure: Exception | None = None
        self._frame: Frame | None = None
        self._used = self._limit = 0
        self._told: dict[str, Any] = {}
        for port_number in range(n_elements):
            self.set_min_output_buffer(port_number, _BUFFER)
        self.message_port_register_out(pmt.intern("status"))
        self.message_port_register_in(pmt.intern("control"))
        self.set_msg_handler(pmt.intern("control"), self._on_control)
        self.set_frequency(frequency_hz)
        self.set_gain(gain_db)

    def set_frequency(self, frequency_hz: float) -> None:
        """Tune to a centre frequency, Hz, as soon as the control server is there; 0 leaves it."""
        if frequency_hz:
            self._order("frequency_hz", frequency_hz)

    def set_gain(self, gain_db: Any) -> None:
        """Set the gains, dB, to the tuner's nearest steps: one for all channels, or N; None leaves them.

        Raises ReceiverError when it is another number of them, or one is not within 0 to 50 dB.
        """
        if gain_db is not None:
            self._order("gain_db", gain_db)

    @property
    def counters(self) -> dict[str, int]:
        """What became of the frames (`doamc.heimdall.Counters`), and ``control_failures``."""
        return self.client.counters.as_dict() | {"control_failures": self.settings.failures}

    def start(self) -> bool:
        """Begin to connect; called by GNU Radio."""
        self._told.clear()
        self.client.start()
        self.settings.start()
        return True

    def stop(self) -> bool:
        """Take leave of the servers; called by GNU Radio."""
        self.settings.ask_to_stop()  # so that both wait at once
        self.client.stop()
        self.settings.stop()
        if self._frame is not None:
            self.client.release(self._frame)
            self._frame = None
        return True

    @guarded_work
    def work(self, input_items: Any, output_items: list[np.ndarray]) -> int:
        """Copy samples of the current frame; none while there is none."""
        if self._frame is None:
            self._frame = self.client.get(_WAIT_S)
            if self._frame is None:
                return 0
            self._used = 0
            self._tag(self._frame)
        frame, written = self._frame, self.nitems_written(0)
        count = min(len(output_items[0]), frame.samples.shape[1] - self._used)
        if self._duration:
            self._limit = self._limit or max(1, round(self._duration * frame.header.sampling_freq))
            count = min(count, self._limit - written)
            if count <= 0:
                return WORK_DONE
        for stream, row in zip(output_items, frame.samples, strict=True):
            stream[:count] = row[self._used : self._used + count]
        self._used += count
        if self._used == frame.samples.shape[1]:
            self._frame = None
            self.client.release(frame)
        return count

    def failed(self, error: Exception) -> None:
        """Log what a message handler raised, and tell it."""
        self.settings.fail(error)
        self.logger.error(self.settings.error)
        self._publish()

    def status(self) -> dict[str, Any]:
        """Status message of now."""
        link = self.client.state
        error = self.settings.error or (None if link == "streaming" else self.client.last_error)
        message = block_status(self, _STATES.get(link, "error"), -1, self.counters, error)
        return message | {"link": link}

    def _tag(self, frame: "Frame") -> None:
        """Tags of a frame, at the sample that is written next."""
        header, offset = frame.header, self.nitems_written(0)
        seconds, milliseconds = divmod(header.time_stamp, 1000)
        common: dict[str, Any] = {
            "rx_freq": pmt.from_double(header.rf_center_freq), "rx_rate": pmt.from_double(header.sampling_freq),
            "sync_state": pmt.from_long(header.sync_state),
        }  # fmt: skip
        gains, overdriven = header.gains_db, header.overdriven
        whole = frame.lost or frame.first
        now = (header.rf_center_freq, header.sampling_freq, header.sync_state, gains, overdriven)
        if whole:
            common["frames_lost"] = pmt.from_uint64(frame.lost)
        changed = whole or now != self._told.get("now")
        if "now" in self._told and now[:2] != self._told["now"][:2]:
            common[CAPTURE] = pmt.from_uint64(offset)
        self._told["now"] = now
        time = pmt.make_tuple(pmt.from_uint64(seconds), pmt.from_double(milliseconds / 1000))
        for port in range(self._n):
            tags = {"rx_time": time}
            if changed:
                tags |= common
                tags["rx_gain"] = pmt.from_double(gains[port])
                tags["overdrive"] = pmt.from_bool(overdriven[port])
            for key, value in tags.items():
                self.add_item_tag(port, offset, pmt.intern(key), value)

    @guarded
    def _on_control(self, message: Any) -> None:
        wishes = pmt.to_python(message)
        if not isinstance(wishes, dict) or not wishes:
            raise ReceiverError(f"expected a dict of settings, found {shown(wishes)}")
        for name, value in wishes.items():
            self._order(name, value)

    def _order(self, name: str, value: Any) -> None:
        if not self._control_port:
            raise ReceiverError(f"cannot set {name}: there is no control_port")
        self.settings.order(name, value)

    def _on_state(self, state: str) -> None:
        self.logger.info(f"{self._host}: {state}")
        self._publish()

    def _publish(self) -> None:
        self.message_port_pub(pmt.intern("status"), pmt.to_pmt(self.status()))
