"""A Qt application without a screen."""

import importlib
import os

import pytest

#: the binding of the tests: that of GNU Radio, or the one named in an environment variable
BINDING = os.environ.get("DOAMC_TEST_QT", "")


@pytest.fixture(scope="session")
def qt():
    """Qt's widgets, with an application that draws into memory."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if not BINDING:
        pytest.importorskip("gnuradio.qtgui", reason="GNU Radio without its Qt part")
        from gr_doamc.qt_binding import NAME
    widgets = importlib.import_module(f"{BINDING or NAME}.QtWidgets")
    application = widgets.QApplication.instance() or widgets.QApplication(["tests"])
    yield widgets
    application.processEvents()
