"""What a client says and hears on its connections to a server: a session for each version of the protocol."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doamc.krakensdr.link import Halt, Link
    from doamc.krakensdr.pool import Pool

#: states: no server; connected, nothing came; good samples; samples that cannot be used; those of other channels; ended
ABSENT, WAITING, STREAMING, UNSYNCHRONISED, MISMATCH, STOPPED = (
    "absent", "waiting", "streaming", "unsynchronised", "mismatch", "stopped",
)  # fmt: skip
#: how often the patience of a connection that brings nothing is doubled
_DOUBLINGS = 3


@dataclass
class LinkCounters:
    """Counts of the link. connects: connections made. failures: attempts and connections that ended."""

    connects: int = 0
    failures: int = 0

    def as_dict(self) -> dict[str, int]:
        """Names and counts."""
        return asdict(self)


class Desk(ABC):
    """What a session reports to: the client whose connection it uses. pool: buffers, and the frames that wait."""

    pool: "Pool"

    @abstractmethod
    def tell(self, state: str, remark: str | None = None) -> None:
        """Be in a state; remark: why, where it is not a good one."""


class Session(ABC):
    """The protocol of one version, with its counters; it lives as long as its client, over all connections.

    port: of the server's data. timeout_s: silence that counts as a stall.
    Attributes: counters, heard (frames or packets that came so far), version, speaks_first (whether the server sends
    before it is asked).
    """

    version: int
    speaks_first: bool
    counters: LinkCounters

    def __init__(self, port: int, timeout_s: float) -> None:
        self.port, self.timeout_s = port, float(timeout_s)
        self._doublings = 0

    @property
    @abstractmethod
    def heard(self) -> int:
        """Frames or packets that came so far."""

    @property
    def news(self) -> dict[str, Any]:
        """What is to be told of the stream beside its counters, plain values."""
        return {}

    @property
    def leave_s(self) -> float:
        """How long it may take to take leave of the server, s."""
        return 0.0

    @abstractmethod
    def run(self, link: "Link", halt: "Halt", desk: Desk) -> None:
        """Use a connection until the client is to end. Raises OSError or ReceiverError when the connection is over."""

    def failed(self, state: str) -> None:
        """An attempt or a connection has ended, in this state of the client."""
        self.counters.failures += 1
        if state == WAITING:  # what it sends may take longer than we would wait
            self._doublings = min(self._doublings + 1, _DOUBLINGS)
