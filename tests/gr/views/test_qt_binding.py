"""Views through either binding of Qt: that of the program, and never both in one process."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from gr_doamc import compass_sink

ROOT = Path(__file__).resolve().parents[3]
VIEWS = ("compass_sink", "coupling_matrix_sink", "bearing_history_sink", "qt_block")


def loaded():
    """Bindings of Qt that this process has loaded."""
    return {m.partition(".")[0] for m in sys.modules if m.startswith(("PyQt", "PySide")) and m.endswith(".QtCore")}


def test_views_load_no_other_binding_than_the_application(qt):
    compass_sink()
    assert loaded() == {qt.__name__.partition(".")[0]}


def test_the_tests_of_the_views_hold_with_the_other_binding(qt):
    """GNU Radio moves from PyQt5 to PyQt6; pictures are the same to a pixel or so."""
    (other,) = {"PyQt5", "PyQt6"} - loaded()
    if importlib.util.find_spec(other) is None:
        pytest.skip(f"no {other} here")
    tests = [f"tests/gr/views/test_{name}.py" for name in VIEWS]
    own = f"{__file__}::{test_views_load_no_other_binding_than_the_application.__name__}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, own]
    environment = os.environ | {"DOAMC_TEST_QT": other}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0 and " skipped" not in done.stdout, done.stdout[-4000:] + done.stderr[-1000:]


CHOICE = """
import PyQt5.QtWidgets, PyQt6.QtWidgets
application = {binding}.QtWidgets.QApplication(["test"])
from gr_doamc import compass_sink
assert isinstance(compass_sink().qwidget(), {binding}.QtWidgets.QWidget)
"""


@pytest.mark.parametrize("binding", ["PyQt5", "PyQt6"])
def test_where_both_are_loaded_that_of_the_application_is_taken(binding):
    pytest.importorskip("PyQt6", reason="only one binding of Qt here")
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", CHOICE.format(binding=binding)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
