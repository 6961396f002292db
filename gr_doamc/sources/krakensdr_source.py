"""KrakenSDR source: the channels of its server as streams, and its settings, in both versions of its protocol."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pmt
from gnuradio import gr

from doamc.errors import ReceiverError
from doamc.text import shown
from gr_doamc.runtime.message_block import block_status, guarded
from gr_doamc.runtime.messages import CAPTURE
from gr_doamc.runtime.output_buffers import ask_for_buffers, forget_limits
from gr_doamc.runtime.stream_guard import WORK_DONE, guarded_work

if TYPE_CHECKING:
    from doamc.krakensdr import Frame

#: how long `work` waits for samples before GNU Radio may ask whether to stop, s
_WAIT_S = 0.05
#: samples of an output buffer: a frame then leaves in few calls, which cost 0.2 ms each
_BUFFER = 1 << 17
#: states of a status message by those of the link; any other is an error
_STATES = {"streaming": "running", "stopped": "stopped", "waiting": "idle", "unsynchronised": "idle"}


class krakensdr_source(gr.sync_block):
    """N complex streams from a KrakenSDR, coherent and synchronised.

    Which version of the server answers is found out: that of 2026 (version 2, ports 8091 and 8092) or heimdall (version
    1, ports 5000 and 5001). Only samples of channels that are aligned in time and phase leave, of the antennas and not
    of the calibration, and in version 2 not within the settling time after a change; all others are counted. A server
    that is absent, closes, stalls or sends garbage never holds up the flowgraph: the block connects again, with a
    back-off of half a second at most. The stream has no samples meanwhile; a gap shows in the tags.

    Tags, on every stream, at the first sample of a frame: ``rx_time`` (tuple of whole and fractional Unix seconds; in
    version 2, which tells no time, by this computer's clock); and where they changed, or samples are missing:
    ``rx_freq`` and ``rx_rate`` (Hz), ``rx_gain`` (dB, of the channel), ``sync_state`` (of version 1, 6: tracking; of
    version 2 the phase state, 4: converged), ``overdrive`` (version 1: bool, of the channel), ``frames_lost`` (frames
    or packets missing before this one; 0 where only time may have jumped), ``doamc_capture`` (where frequency or rate
    changed, and at every gap of version 2: the number of that sample).

    Message port ``status``: a dict (schema ``doamc.status/1``) every second and at every change, with ``link``
    (absent, waiting, streaming, unsynchronised, mismatch, stopped), the counters of the version that answers, and under
    ``receiver`` the version and what the receiver tells of itself.
    Message port ``control``: a dict with any of ``frequency_hz``, ``gain_db`` (one, or one a channel; negative or
    ``auto``: automatic), ``agc`` (true), ``squelch`` (version 1) and ``stability_delay_ms`` (version 2); sent to the
    control server until it confirms, failures are told on ``status``.

    When it stops, a frame of version 1 that is on its way is read first, for the original server ends when its client
    just leaves: that takes as long as a frame, and two seconds more at most.

    Args:
        host: name or address of the server.
        version: 1, 2, or auto for the one that answers.
        port: of its data; 0 for that of the version.
        control_port: of its control server; 0 for that of the version, -1 for none.
        n_elements: number of channels N.
        frequency_hz: centre frequency to set at the start, Hz; 0 leaves it.
        gain_db: gain to set at the start, 0 to 50 dB (the tuner's nearest step), negative or auto for automatic gain,
            for version 1 also a list of N; None leaves it.
        settling: s after a change of frequency in which samples of version 2 are kept back.
        sample_rate: Hz, of version 2, which does not tell it with its samples.
        timeout: s of silence that count as a stall; in version 1 as far as frames are shorter than a third of it.
        duration: s of stream after which it ends; 0 goes on for ever.

    Raises ReceiverError when an argument is out of range.
    """

    def __init__(
        self, host: str = "127.0.0.1", version: Any = "auto", port: int = 0, control_port: int = 0, n_elements: int = 5,
        frequency_hz: float = 0.0, gain_db: Any = None, settling: float = 4.0, sample_rate: float = 2.4e6,
        timeout: float = 1.5, duration: float = 0.0,
    ) -> None:  # fmt: skip
        from doamc.krakensdr import Client, Settings, controllers, sessions  # late: Companion has no use for sockets

        if not 1 <= n_elements <= 32 or not 0 <= duration < math.inf or not frequency_hz >= 0:
            raise ReceiverError(
                "expected n_elements 1..32 and frequency_hz and duration >= 0, found "
                f"{n_elements}, {frequency_hz} and {duration}"
            )
        gr.sync_block.__init__(self, name=type(self).__name__, in_sig=None, out_sig=[np.complex64] * n_elements)
        made = sessions(version, port, n_elements, timeout, settling, sample_rate)
        self.client = Client(host, made, self._on_state)
        self.settings = Settings(self.client, controllers(made, n_elements, host, control_port), self._publish)
        self._host, self._n = host, n_elements
        self._duration = duration
        self.failure: Exception | None = None
        self._frame: Frame | None = None
        self._used = self._limit = 0
        self._told: dict[str, Any] = {}
        ask_for_buffers(self, _BUFFER)
        self.message_port_register_out(pmt.intern("status"))
        self.message_port_register_in(pmt.intern("control"))
        self.set_msg_handler(pmt.intern("control"), self._on_control)
        self.set_frequency(frequency_hz)
        self.set_gain(gain_db)

    def set_frequency(self, frequency_hz: float) -> None:
        """Tune to a centre frequency, Hz, as soon as the control server is there; 0 leaves it."""
        if frequency_hz:
            self.settings.order("frequency_hz", frequency_hz)

    def set_gain(self, gain_db: Any) -> None:
        """Set the gain, dB, to the tuner's nearest step; negative or ``auto``: automatic; None leaves it.

        Raises ReceiverError when it is above 50 dB, or a list of another number than N.
        """
        if gain_db is not None:
            self.settings.order("gain_db", gain_db)

    @property
    def counters(self) -> dict[str, int]:
        """What became of what came, by the version that answers, and ``control_failures``."""
        return self.client.counters.as_dict() | {"control_failures": self.settings.failures}

    def start(self) -> bool:
        """Begin to connect; called by GNU Radio."""
        forget_limits(self)
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
            self._limit = self._limit or max(1, round(self._duration * frame.sample_rate_hz))
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
        version, news = self.client.version, self.settings.news | self.client.session.news
        known = {} if version is None else {"receiver": {"protocol": version} | news}
        return message | {"link": link} | known

    def _tag(self, frame: "Frame") -> None:
        """Tags of a frame, at the sample that is written next."""
        offset, second = self.nitems_written(0), math.floor(frame.time_s)
        now = (frame.frequency_hz, frame.sample_rate_hz, frame.sync_state, frame.gains_db, frame.overdriven)
        earlier, self._told["now"] = self._told.get("now"), now
        common: dict[str, Any] = {}
        whole = bool(frame.lost or frame.first or (frame.gap and frame.number is None))
        if whole or now != earlier:
            common = {
                "rx_freq": pmt.from_double(frame.frequency_hz), "rx_rate": pmt.from_double(frame.sample_rate_hz),
                "sync_state": pmt.from_long(frame.sync_state),
            }  # fmt: skip
        if whole:
            common["frames_lost"] = pmt.from_uint64(frame.lost)
        if earlier is not None and (now[:2] != earlier[:2] or (frame.gap and frame.number is None)):
            common[CAPTURE] = pmt.from_uint64(offset)
        time = pmt.make_tuple(pmt.from_uint64(second), pmt.from_double(frame.time_s - second))
        for port in range(self._n):
            tags = {"rx_time": time} | common
            if common:
                tags["rx_gain"] = pmt.from_double(frame.gains_db[port])
                if frame.overdriven is not None:
                    tags["overdrive"] = pmt.from_bool(frame.overdriven[port])
            for key, value in tags.items():
                self.add_item_tag(port, offset, pmt.intern(key), value)

    @guarded
    def _on_control(self, message: Any) -> None:
        wishes = pmt.to_python(message)
        if not isinstance(wishes, dict) or not wishes:
            raise ReceiverError(f"expected a dict of settings, found {shown(wishes)}")
        for name, value in wishes.items():
            self.settings.order(name, value)

    def _on_state(self, state: str) -> None:
        self.logger.info(f"{self._host}: {state}")
        self._publish()

    def _publish(self) -> None:
        self.message_port_pub(pmt.intern("status"), pmt.to_pmt(self.status()))
