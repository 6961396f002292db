"""The script that makes the pictures of the documentation."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Group
from rich.text import Text
from scripts.screenshots_qt import COLUMNS, ROWS, draw_terminal

from tests.gr.looking import image_pixels, of_colour

ROOT = Path(__file__).resolve().parents[3]


def read(path):
    from gr_doamc.views.qt_binding import QtGui

    return image_pixels(QtGui.QImage(str(path)))


def test_a_terminal_is_drawn_cell_by_cell(qt, tmp_path):
    mark = Text.assemble(" " * 40, ("\N{FULL BLOCK}", "#ff0000"))
    draw_terminal(Group(*[Text("")] * 12, mark), tmp_path / "t.png")
    pixels = read(tmp_path / "t.png")
    red = of_colour(pixels, "#FF0000").mean(0)
    high, wide = pixels.shape[:2]
    np.testing.assert_allclose(red, [12 + 40.5 / COLUMNS * (wide - 24), 12 + 12.5 / ROWS * (high - 24)], atol=2.5)


@pytest.mark.slow
def test_all_pictures_are_made(qt, tmp_path):
    command = [sys.executable, "-m", "scripts.screenshots_qt", "--out", str(tmp_path), "--seconds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "band_qt.png", "monitor.png", "plot_run.png", "plot_sky.png", "qt_live.png", "sky_qt.png",
    ]  # fmt: skip
    for path in tmp_path.iterdir():
        pixels = read(path)
        assert min(pixels.shape[:2]) > 400 and len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50
