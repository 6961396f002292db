"""A Qt application without a screen."""

import os

import pytest


@pytest.fixture(scope="session")
def qt():
    """Qt's widgets, with an application that draws into memory."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    widgets = pytest.importorskip("PyQt5.QtWidgets", reason="GNU Radio without its Qt part")
    application = widgets.QApplication.instance() or widgets.QApplication(["tests"])
    yield widgets
    application.processEvents()
