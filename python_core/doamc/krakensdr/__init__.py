"""KrakenSDR: a client of its server in both versions of the protocol, settings by its control server, emulators."""

from doamc.krakensdr.client import Client
from doamc.krakensdr.frame import Frame
from doamc.krakensdr.settings import Settings
from doamc.krakensdr.versions import controllers, sessions

__all__ = ["Client", "Frame", "Settings", "controllers", "sessions"]
