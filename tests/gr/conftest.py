"""A Qt application without a screen."""

import importlib
import os
import sys

import pytest

#: the binding of the tests: that of GNU Radio, or the one named in an environment variable
BINDING = os.environ.get("DOAMC_TEST_QT", "")


@pytest.fixture(scope="session")
def qt():
    """Qt's widgets, with an application that draws into memory."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if not BINDING:
        pytest.importorskip("gnuradio.qtgui", reason="GNU Radio without its Qt part")
        from gr_doamc.views.qt_binding import NAME
    widgets = importlib.import_module(f"{BINDING or NAME}.QtWidgets")
    application = widgets.QApplication.instance() or widgets.QApplication(["tests"])
    importlib.import_module("gr_doamc.views.qt_view")  # for `pictures_keep`
    yield widgets
    application.processEvents()


@pytest.fixture(autouse=True)
def pictures_keep(monkeypatch):
    """On a computer that is busy, an estimate may be older than views show it when a test looks at its picture."""
    if "gr_doamc.views.qt_view" in sys.modules:
        monkeypatch.setattr("gr_doamc.views.qt_view.SILENT_S", 1e9)
