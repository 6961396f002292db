"""The KrakenSDR source by its old name, for flowgraphs that exist."""

from typing import Any

from gr_doamc.sources.krakensdr_source import krakensdr_source


class heimdall_source(krakensdr_source):
    """N complex streams from a KrakenSDR of version 1 (heimdall server), coherent and synchronised.

    `krakensdr_source` with ``version=1``, kept for flowgraphs that exist; in new ones take that, which finds out which
    version answers. Streams, tags and message ports are the same.

    Args:
        host: name or address of the server.
        port: of its data.
        control_port: of its control server; 0 for none.
        n_elements: number of channels N.
        frequency_hz: centre frequency to set at the start, Hz; 0 leaves it.
        gain_db: gain to set at the start, 0 to 50 dB, or list of N: the tuner's nearest steps; negative or auto:
            automatic; None leaves them.
        timeout: s of silence that count as a stall, as far as frames are shorter than a third of it.
        duration: s of stream after which it ends; 0 goes on for ever.

    Raises ReceiverError when an argument is out of range.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 5000, control_port: int = 5001, n_elements: int = 5,
        frequency_hz: float = 0.0, gain_db: Any = None, timeout: float = 1.5, duration: float = 0.0,
    ) -> None:  # fmt: skip
        krakensdr_source.__init__(
            self, host, 1, port, control_port or -1, n_elements, frequency_hz, gain_db, timeout=timeout,
            duration=duration,
        )  # fmt: skip
