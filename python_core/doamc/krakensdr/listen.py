"""Listening sockets of the emulator."""

import socket

from doamc.errors import ReceiverError
from doamc.text import SHOWN, one_line


def listen(host: str, port: int) -> socket.socket:
    """A TCP socket that listens; port 0 takes a free one. Raises ReceiverError when it cannot be bound."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError, ValueError) as error:  # a name of a host that cannot be is a ValueError
        listener.close()
        where = f"{one_line(host, SHOWN)}:{port}"
        raise ReceiverError(f"cannot listen on {where}: {error}; take another address or port") from error
    listener.listen(4)
    return listener
