"""What every view shares, whatever it is drawn with: readings, conventions of angle, tracks, health, colours."""

from doamc.views.convention import Convention
from doamc.views.health import Health
from doamc.views.reading import Reading, read_estimate
from doamc.views.tracks import Tracker

__all__ = ["Convention", "Health", "Reading", "Tracker", "read_estimate"]
