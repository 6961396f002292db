"""KrakenSDR: frames of the heimdall IQ server, its control channel, a client that survives it, an emulator of it."""

from doamc.heimdall.client import Client
from doamc.heimdall.control import Control
from doamc.heimdall.counters import Counters
from doamc.heimdall.frame import Frame, Header
from doamc.heimdall.settings import Settings

__all__ = ["Client", "Control", "Counters", "Frame", "Header", "Settings"]
