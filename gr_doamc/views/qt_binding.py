"""Qt through the binding that the program already uses: GNU Radio's own, since two of them in one process clash.

GNU Radio 3.10 loads PyQt5, its successors PyQt6; a flowgraph has done so before it makes a sink. Importing this raises
ViewError where neither is loaded. Enumerations are written with their scope, as both take them.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from doamc.errors import ViewError

BINDINGS = ("PyQt5", "PyQt6")
NO_APPLICATION = "expected a Qt application, found none; set the flowgraph's Generate Options to QT GUI"


def _idle(binding: str) -> bool:
    return sys.modules[f"{binding}.QtWidgets"].QApplication.instance() is None


_loaded = sorted((b for b in BINDINGS if f"{b}.QtWidgets" in sys.modules), key=_idle)
if not _loaded:
    raise ViewError(NO_APPLICATION)

#: the binding whose application runs or, before there is one, that is loaded
NAME = _loaded[0]

if TYPE_CHECKING:
    from PyQt5 import QtCore, QtGui, QtWidgets
    from PyQt5.QtCore import Qt
    from PyQt5.QtCore import pyqtSignal as Signal
    from PyQt5.QtWidgets import QAction
else:
    QtCore, QtGui, QtWidgets = (import_module(f"{NAME}.{part}") for part in ("QtCore", "QtGui", "QtWidgets"))
    Qt, Signal = QtCore.Qt, QtCore.pyqtSignal
    QAction = getattr(QtGui, "QAction", None) or QtWidgets.QAction  # Qt 6 moved it
