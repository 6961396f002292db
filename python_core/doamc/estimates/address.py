"""ZMQ endpoints: checks that libzmq leaves out."""

import ipaddress
import re

from doamc.errors import PublishError
from doamc.protocol import DEFAULT_ADDRESS
from doamc.text import shown


def check_address(address: str) -> str:
    """The address itself. Raises PublishError unless it is a ZMQ endpoint and a TCP port lies in 0..65535 or is ``*``.

    libzmq takes any integer as a port and keeps its low 16 bits: 70000 would listen on 4464.
    """
    match = re.fullmatch(r"(tcp|ipc|inproc)://(.+)", address) if isinstance(address, str) else None
    if match is None:
        raise PublishError(f"expected an address such as {DEFAULT_ADDRESS}, found {shown(address)}")
    if match[1] == "tcp":
        port = match[2].rpartition(":")[2]
        if ":" not in match[2] or not (port == "*" or (re.fullmatch(r"[0-9]{1,5}", port) and int(port) < 65536)):
            raise PublishError(f"expected a host and a port 0..65535 as in {DEFAULT_ADDRESS}, found {shown(address)}")
    return address


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this computer's own."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_exposure(address: str, guarded: bool) -> None:
    """Raise PublishError when other computers could reach an address that is bound without a guard.

    guarded: keys are asked for, or somebody has said that none are needed.
    """
    kind, _, rest = check_address(address).partition("://")
    if kind == "tcp" and not guarded and not is_loopback(rest.rpartition(":")[0]):
        raise PublishError(
            f"expected keys (--keys, see doamc keys) or --insecure with {address}, which other computers can reach, "
            "found neither"
        )
