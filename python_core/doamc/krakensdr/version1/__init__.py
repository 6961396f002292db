"""Version 1: the heimdall server, whose numbered frames are asked for one by one; its control server; emulators."""

from doamc.krakensdr.version1.control import Control
from doamc.krakensdr.version1.controller import HeimdallController
from doamc.krakensdr.version1.frame import Header
from doamc.krakensdr.version1.heimdall import Heimdall

__all__ = ["Control", "Header", "Heimdall", "HeimdallController"]
