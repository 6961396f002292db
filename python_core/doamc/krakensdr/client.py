"""Client of a KrakenSDR's server: samples that can be used, all others counted, whatever the server does.

A thread of its own connects and reads; it waits for nothing without a limit, and nothing that a server does ends it.
Whoever takes the frames sees a queue that is empty while the server is away.

Which version of the protocol is spoken shows by what answers: the versions have ports of their own, which are tried in
turn, the one that was heard last first. Where they are given the same port, the server tells by itself: that of version
2 sends at once, that of version 1 waits until it is asked.
"""

import atexit
import threading
from collections.abc import Callable, Sequence

from doamc.errors import ReceiverError
from doamc.krakensdr.frame import Frame
from doamc.krakensdr.link import Halt, Link
from doamc.krakensdr.pool import Pool
from doamc.krakensdr.session import ABSENT, STOPPED, WAITING, Desk, LinkCounters, Session

#: waits between attempts to connect, s: doubled from the first to the last while they fail
_BACK_OFF_S = 0.05, 0.5
#: how long a server may be silent before it counts as one that waits to be asked, s
_LISTEN_S = 0.5
#: at a stop, the thread may take so long, beyond what its session asks for, s
_LEAVE_S = 2.0


class Client(Desk):
    """Frames of a server, one after the other; a context manager that starts and stops the thread.

    Take them with `get` and give each back with `release`.
    host: of the server. sessions: of the versions that it may speak, in the order in which they are tried. on_state:
    called with the new state in the client's thread (``stopped``: in that of `stop`).
    Attributes: state, last_error (text or None), session (the one in use, or used last), pool.
    """

    def __init__(self, host: str, sessions: Sequence[Session], on_state: Callable[[str], None] | None = None) -> None:
        if not sessions:
            raise ReceiverError("expected at least one session, found none")
        self._host, self._order, self._on_state = host, list(sessions), on_state
        self.session = self._order[0]
        self._heard = self.session if len(self._order) == 1 else None  # whose version is known to be spoken
        self.state = ABSENT
        self.last_error: str | None = None
        self.pool = Pool()
        self._halt = Halt()
        self._thread: threading.Thread | None = None

    @property
    def counters(self) -> LinkCounters:
        """Counts of the session in use."""
        return self.session.counters

    @property
    def version(self) -> int | None:
        """Version of the protocol that the server speaks; None before it is known."""
        return None if self._heard is None else self._heard.version

    def start(self) -> None:
        """Start the thread; again is harmless."""
        if self._thread is None or not self._thread.is_alive():
            self._halt = Halt()
            self._thread = threading.Thread(target=self._run, args=(self._halt,), name="doamc-krakensdr", daemon=True)
            self._thread.start()
            atexit.register(self.stop)  # a program that ends by an error takes leave of the server, too

    def stop(self) -> None:
        """Take leave, within 2 s and what the session needs; frames that wait are dropped."""
        atexit.unregister(self.stop)
        thread, self._thread = self._thread, None
        if thread is None:
            return
        within_s = _LEAVE_S + self.session.leave_s
        self._halt.ask(within_s)
        self.pool.wake()
        thread.join(within_s + 1.0)  # beyond, it waits for a name server, and ends by its own halt
        self.pool.clear()
        self.tell(STOPPED)

    def get(self, timeout_s: float | None = None) -> Frame | None:
        """The oldest frame that waits; None when none came in time or the client was stopped."""
        return self.pool.get(timeout_s, self._halt)

    def release(self, frame: Frame) -> None:
        """Give a frame back; its samples must not be used any more. Again is harmless."""
        self.pool.release(frame)

    def __enter__(self) -> "Client":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def tell(self, state: str, remark: str | None = None) -> None:
        """Be in a state, and call `on_state` when it is another one."""
        if self.session.heard:
            self._heard = self.session
        if remark is not None:
            self.last_error = remark
        if state != self.state:
            self.state = state
            if self._on_state is not None:
                try:
                    self._on_state(state)
                except Exception as error:  # not ours: it must cost neither the connection nor the thread
                    self.last_error = f"on_state: {type(error).__name__}: {error}"

    def _run(self, halt: Halt) -> None:
        wait_s = _BACK_OFF_S[0]
        while not halt.is_set():
            wait_s = _BACK_OFF_S[0] if self._attempt(halt) else min(2 * wait_s, _BACK_OFF_S[1])
            halt.wait(wait_s)

    def _attempt(self, halt: Halt) -> bool:
        """Connect, and use the connection to its end; whether anything came."""
        connected = self._connect(halt)
        if connected is None:
            return False
        session, link = connected
        heard = session.heard
        try:
            with link:
                if not halt.is_set():
                    session.counters.connects += 1
                    self.session = session
                    self.tell(WAITING)
                    session.run(link, halt, self)
        except Exception as error:  # whatever a server can provoke: the next one may be better
            if not halt.is_set():
                self._fail([session], f"{self._host}:{session.port}: {error}")
        came = session.heard > heard
        self._order.remove(session)
        self._order.insert(0 if came else len(self._order), session)
        return came

    def _connect(self, halt: Halt) -> tuple[Session, Link] | None:
        """A connection to the first version that takes one."""
        tried: list[Session] = []
        errors = []
        for session in list(self._order):
            if any(session.port == other.port for other in tried):
                continue
            tried.append(session)
            link = None
            try:
                link = Link((self._host, session.port), session.timeout_s, halt)
                return self._identified(session, link), link
            except Exception as error:
                errors.append(f"{self._host}:{session.port}: {error}")
                if link is not None:
                    link.close()
                if halt.is_set():
                    return None
        self._fail(tried, "; ".join(errors))
        return None

    def _identified(self, session: Session, link: Link) -> Session:
        """The session of whatever is at this port."""
        rivals = [s for s in self._order if s.port == session.port]
        if len(rivals) == 1:
            return session
        speaks = link.heard(_LISTEN_S)
        return next((s for s in rivals if s.speaks_first == speaks), session)

    def _fail(self, sessions: list[Session], error: str) -> None:
        for session in sessions:
            session.failed(self.state)
        self.tell(ABSENT, error)
