"""The versions of the protocol: what is spoken, and on which ports, when nothing or something is said of them."""

from typing import Any

from doamc.errors import ReceiverError
from doamc.krakensdr.controller import Controller
from doamc.krakensdr.session import Session
from doamc.krakensdr.version1 import Heimdall, HeimdallController
from doamc.krakensdr.version1 import control as control1
from doamc.krakensdr.version1 import heimdall as heimdall1
from doamc.krakensdr.version2 import Suite, SuiteController
from doamc.krakensdr.version2 import control as control2
from doamc.krakensdr.version2 import suite as suite2
from doamc.text import shown

AUTO = "auto"
#: by which the control server is not used
NO_CONTROL = -1


def sessions(
    version: Any = AUTO, port: int = 0, n_channels: int | None = None, timeout_s: float = 1.5,
    settling_s: float = suite2.SETTLING_S, sample_rate_hz: float = suite2.SAMPLE_RATE_HZ,
) -> list[Session]:  # fmt: skip
    """Sessions of the versions that a server may speak.

    version: 1, 2, or ``auto``: what answers. port: of its data; 0: that of the version. n_channels: channels M
    expected; None takes any. timeout_s: silence that counts as a stall. settling_s, sample_rate_hz: of version 2.
    Raises ReceiverError when one of them is out of range.
    """
    made: dict[int, Session] = {
        2: Suite(port or suite2.PORT, n_channels, timeout_s, settling_s, sample_rate_hz),
        1: Heimdall(port or heimdall1.PORT, n_channels, timeout_s),
    }
    return [made[v] for v in _versions(version)]


def controllers(made: list[Session], n_channels: int, host: str, port: int = 0) -> list[Controller]:
    """Controllers that go with sessions; port: of the control server; 0: that of the version, -1: none."""
    if port == NO_CONTROL:
        return []
    if not 0 <= port < 65536:
        raise ReceiverError(f"expected a control_port 1..65535, 0 for that of the version or -1 for none, found {port}")
    found: list[Controller] = []
    for session in made:
        if isinstance(session, Heimdall):
            found.append(HeimdallController(n_channels, session, host, port or control1.PORT))
        elif isinstance(session, Suite):
            found.append(SuiteController(host, port or control2.PORT, session.rate_hz))
    return found


def _versions(version: Any) -> list[int]:
    if version in (AUTO, None, 0, "0"):
        return [2, 1]
    if str(version) not in ("1", "2"):
        raise ReceiverError(f"expected version 1, 2 or {AUTO}, found {shown(version)}")
    return [int(version)]
