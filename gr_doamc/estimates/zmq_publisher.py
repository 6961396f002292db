"""ZMQ publisher: estimates, status and truth from message ports to a PUB socket."""

from typing import Any

import pmt

from doamc.protocol import DEFAULT_ADDRESS, SIGNAL_TOPIC, SKY_TOPIC, SPECTRUM_TOPIC, TRUTH_TOPIC, WAVEFORMS_TOPIC
from gr_doamc.runtime.message_block import guarded
from gr_doamc.runtime.outlasting_block import outlasting_block


class zmq_publisher(outlasting_block):
    """Publishes what comes in as JSON on a ZMQ PUB socket, two frames a message: topic, then the message.

    Message port ``estimates``: topic ``doamc.estimate``. Message port ``status``: topic ``doamc.status``, whose newest
    is repeated every second as a heartbeat; as an output port: failures of this block. Message port ``truth``: topic
    ``doamc.truth``. Message port ``waveforms``: topic ``doamc.waveforms``. Message ports ``signals`` and ``spectrum``,
    of a `signal_finder`: topics ``doamc.signal`` and ``doamc.spectrum``. Message port ``sky``, of a
    `sky_imager`: topic ``doamc.sky``.
    A message that is no dict of plain values is logged and counted; nothing that a subscriber does, or leaves undone,
    holds up the flowgraph.
    Connect ``status`` of a source that tells its ``link`` (krakensdr_source), too: every status then has the newest
    link and what the ``receiver`` tells of itself, and where the source does not run, its state and error, so that a
    dead receiver does not look alive.
    Connect ``status`` of the estimator: the publisher then stays open until that has published its last batch.

    Args:
        address: ZMQ endpoint to bind, such as tcp://127.0.0.1:5577; port * takes a free one.
        heartbeat: s between two heartbeats.
        keys: file NAME.key_secret of ``doamc keys``, to encrypt and to let in only readers that have NAME.key; "" for
            none.
        readers: folder of public keys, to let in only readers whose key lies there; "" for all that have NAME.key.
        insecure: whether other computers may read without keys; refused otherwise when the address is not of this one.

    Raises PublishError when the address is in use, is no address, or lacks keys, or the keys cannot be used.
    """

    def __init__(
        self, address: str = DEFAULT_ADDRESS, heartbeat: float = 1.0, keys: str = "", readers: str = "",
        insecure: bool = False,
    ) -> None:  # fmt: skip
        inputs = {
            "estimates": self._on_estimate, "signals": self._on_signal, "status": self._on_status,
            "truth": self._on_truth, "waveforms": self._on_waveforms, "spectrum": self._on_spectrum,
            "sky": self._on_sky,
        }  # fmt: skip
        outlasting_block.__init__(self, "zmq_publisher", inputs)
        self._heartbeat = float(heartbeat)
        self._guard: dict[str, Any] = {"keys": keys or None, "readers": readers or None, "insecure": bool(insecure)}
        self._engine: dict[str, Any] | None = None
        self._source: dict[str, Any] | None = None
        self._open(address)

    @property
    def address(self) -> str:
        """The endpoint, with the port that it got."""
        return self._publisher.address

    @property
    def sent(self) -> int:
        """Estimates published so far."""
        return self._publisher.sent

    def start(self) -> bool:
        """Open the endpoint again after a stop; called by GNU Radio."""
        self._engine = self._source = None
        try:
            if self._closed:
                self._open(self.address)
        except Exception as error:  # the run goes on and tells, for every estimate, that it is not published
            self.failed(error)
        return super().start()

    def stop(self) -> bool:
        """Send what is queued and free the endpoint; called by GNU Radio."""
        self._publisher.close()
        self._closed = True
        return True

    @guarded
    def _on_estimate(self, message: Any) -> None:
        self._publisher.estimate(pmt.to_python(message))

    @guarded
    def _on_signal(self, message: Any) -> None:
        signal = pmt.to_python(message)
        signal["sources"] = signal["sources"] or []  # an empty list cannot be told from nothing in PMT
        self._publisher.send(SIGNAL_TOPIC, signal)

    @guarded
    def _on_spectrum(self, message: Any) -> None:
        spectrum = pmt.to_python(message)
        for key in ("power_dbfs", "floor_dbfs"):
            if spectrum[key] is not None:
                spectrum[key] = spectrum[key].astype(float).round(1).tolist()  # short in JSON
        self._publisher.send(SPECTRUM_TOPIC, spectrum)

    @guarded
    def _on_status(self, message: Any) -> None:
        status = pmt.to_python(message)
        status["counters"] = status["counters"] or {}  # an empty dict cannot be told from nothing in PMT
        if "link" in status:
            self._source = status
        else:
            self.track(status)
            self._engine = status
        self._publisher.status(_joined(self._engine, self._source))

    @guarded
    def _on_truth(self, message: Any) -> None:
        self._publisher.send(TRUTH_TOPIC, pmt.to_python(message))

    @guarded
    def _on_waveforms(self, message: Any) -> None:
        self._publisher.send(WAVEFORMS_TOPIC, pmt.to_python(message))

    @guarded
    def _on_sky(self, message: Any) -> None:
        from doamc.imaging.sky_message import IMAGES, image_rows

        sky = pmt.to_python(message)
        rows, columns = sky.pop("shape")
        sky |= {key: image_rows(sky[key], (rows, columns)) for key in IMAGES}
        sky["sources"] = list(sky["sources"] or [])  # an empty list cannot be told from nothing in PMT
        self._publisher.send(SKY_TOPIC, sky)

    def _open(self, address: str) -> None:
        from doamc.estimates.publisher import Publisher

        self._publisher = Publisher(address, self._heartbeat, **self._guard)
        self._closed = False


def _joined(engine: dict[str, Any] | None, source: dict[str, Any] | None) -> dict[str, Any]:
    """The newest status of the engine and of the source as one: the state of whichever does not run."""
    if engine is None or source is None:
        return engine or source or {}
    told = engine | {name: source[name] for name in ("link", "receiver") if name in source}
    if engine["state"] in ("running", "idle") and source["state"] in ("idle", "error"):
        told |= {"state": source["state"], "last_error": source["last_error"] or engine["last_error"]}
    return told
