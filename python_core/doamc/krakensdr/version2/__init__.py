"""Version 2: the suite's server, which sends packets without numbers to all who connect; its control server."""

from doamc.krakensdr.version2.control import Control
from doamc.krakensdr.version2.controller import SuiteController
from doamc.krakensdr.version2.packet import Header
from doamc.krakensdr.version2.suite import Suite

__all__ = ["Control", "Header", "Suite", "SuiteController"]
