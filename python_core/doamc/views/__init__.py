"""What every view shares, whatever it is drawn with: readings, conventions of angle, tracks, health, colours."""

from doamc.views.convention import Convention
from doamc.views.health import Health
from doamc.views.numbering import SourceNumbering
from doamc.views.reading import Reading, read_estimate

__all__ = ["Convention", "Health", "Reading", "SourceNumbering", "read_estimate"]
