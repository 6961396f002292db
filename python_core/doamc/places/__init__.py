"""Where emitters are: bearings of several stations, or of one that moves, become places with error ellipses."""

from doamc.places.bearings import BearingSet
from doamc.places.location import Emitter, Location, locate

__all__ = ["BearingSet", "Emitter", "Location", "locate"]
