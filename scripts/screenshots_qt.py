"""Pictures of the views, for the documentation: windows of flowgraphs, the monitor, and figures of the runs.

    .venv/bin/python -m scripts.screenshots_qt

runs live_doa_qt.grc and elevation_live.grc without a screen and writes qt_live.png, monitor.png, plot_run.png,
sky_qt.png, plot_sky.png and, of a simulated band, band_qt.png into docs/images. The monitor is drawn cell by cell from
what it gives to a terminal of 80 x 24.
"""

import argparse
import importlib.util
import io
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from doamc.cli import main as doamc
from doamc.estimates import Recorder, Subscriber
from doamc.protocol import DEFAULT_ADDRESS, ESTIMATE_TOPIC, SIGNAL_TOPIC, TRUTH_TOPIC
from doamc.views import Convention, Health, SourceNumbering, read_estimate
from doamc.views.band_reading import read_signal, read_spectrum
from doamc.views.terminal import screen
from scripts.band_run import band_messages
from scripts.demo import ROOT, compile_flowgraph, free_address

IMAGES = ROOT / "docs" / "images"
COLUMNS, ROWS, FONT_POINTS = 80, 24, 11
INK, PAPER = "#D8D8D8", "#16181C"


class Spectator:
    """Takes down what is published, as ``doamc monitor --record`` does, and what it would show."""

    def __init__(self, address: str, log: Path) -> None:
        self.address, self.log = address, log
        self.health, self.numbering, self.ended = Health(), SourceNumbering(), threading.Event()
        self.reading: Any = None
        self.numbers: list[int] = []
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def _listen(self) -> None:
        with Subscriber(self.address, topics=("doamc",)) as subscriber, Recorder(self.log) as recorder:
            while not self.ended.is_set():
                item = subscriber.receive(0.2)
                if item is None:
                    continue
                self.health.take(*item)
                if item[0] in (ESTIMATE_TOPIC, TRUTH_TOPIC):
                    recorder.write(item[1])
                if item[0] == ESTIMATE_TOPIC:
                    self.reading = read_estimate(item[1])
                    self.numbers = self.numbering.assign(self.reading.time_s, self.reading.azimuth_deg)

    def screen(self) -> Any:
        """What the monitor shows now."""
        losses = {"lost": 0, "unusable": 0, "restarts": 0}
        size, address = (COLUMNS, ROWS), DEFAULT_ADDRESS
        return screen(self.reading, self.numbers, Convention(), self.health, losses, address, size)

    def seen(self, stream_time_s: float, end: float) -> bool:
        """Whether an estimate of this stream time has come, or the time `end` has."""
        last = -1.0 if self.reading is None else self.reading.time_s
        return last >= stream_time_s or time.monotonic() > end

    def end(self) -> None:
        """Stop listening."""
        self.ended.set()
        self.thread.join()


def draw_terminal(renderable: Any, path: Path) -> None:
    """A picture of what a terminal would show."""
    from gr_doamc.views.qt_binding import QtCore, QtGui
    from rich.console import Console

    console = Console(width=COLUMNS, height=ROWS, color_system="truecolor", force_terminal=True, file=io.StringIO())
    lines = console.render_lines(renderable, console.options.update(height=None), pad=True)
    font = QtGui.QFont("DejaVu Sans Mono", FONT_POINTS)
    font.setStyleHint(QtGui.QFont.StyleHint.Monospace)
    metrics = QtGui.QFontMetricsF(font)
    wide, high, margin = metrics.horizontalAdvance("M"), metrics.height(), 12
    size = QtCore.QSize(round(COLUMNS * wide) + 2 * margin, round(ROWS * high) + 2 * margin)
    image = QtGui.QImage(size, QtGui.QImage.Format.Format_RGB32)
    image.fill(QtGui.QColor(PAPER))
    with QtGui.QPainter(image) as painter:
        painter.setRenderHint(QtGui.QPainter.RenderHint.TextAntialiasing)
        for row, line in enumerate(lines[:ROWS]):
            column = 0
            for text, style, _ in line:
                colour = QtGui.QColor(INK)
                if style is not None and style.color is not None:
                    colour = QtGui.QColor(style.color.get_truecolor().hex)
                if style is not None and style.dim:
                    colour.setAlphaF(0.55)
                font.setBold(bool(style is not None and style.bold))
                painter.setFont(font)
                painter.setPen(colour)
                for letter in text:
                    cell = QtCore.QPointF(margin + column * wide, margin + row * high + metrics.ascent())
                    painter.drawText(cell, letter)
                    column += 1
    if not image.save(str(path)):
        raise OSError(f"cannot write {path}")


def draw_band(seconds: float, path: Path) -> None:
    """A picture of what `band_sink` shows of a simulated band."""
    from gr_doamc import band_sink

    sink = band_sink("Every signal in a band")
    sink.view.resize(800, 700)
    for _, topic, message in band_messages(seconds):
        sink.view.show_reading((read_signal if topic == SIGNAL_TOPIC else read_spectrum)(message))
    sink.view.grab().save(str(path))


def watch_window(name: str, folder: Path, options: argparse.Namespace, picture: Path) -> Spectator:
    """Run a flowgraph with a window for so much stream time, and grab the window; what was published."""
    script = compile_flowgraph(name, folder)
    spec = importlib.util.spec_from_file_location(name, script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    from gr_doamc.views.qt_binding import QtCore, QtWidgets  # by the binding that the flowgraph has loaded

    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(sys.argv[:1])
    address = free_address()
    window = getattr(module, name)(address=address, method=options.method, seed=options.seed, snr=options.snr_db)
    window.resize(1100, 850)
    spectator = Spectator(address, folder / f"{name}.jsonl")
    window.start()
    window.show()
    end = time.monotonic() + 60 + 5 * options.seconds  # slow computers fall behind
    timer = QtCore.QTimer()
    timer.timeout.connect(lambda: spectator.seen(options.seconds, end) and application.quit())
    timer.start(50)
    application.exec()
    window.grab().save(str(picture))
    spectator.end()
    window.stop()
    window.wait()
    return spectator


def main(arguments: list[str] | None = None) -> int:
    """Run the flowgraph, take the pictures; exit status."""
    parser = argparse.ArgumentParser(description="Pictures of the Qt sinks, the monitor and the figures of a run.")
    parser.add_argument("--seconds", type=float, default=24.0, help="stream time that is shown (%(default)g)")
    parser.add_argument("--method", default="ml", help="estimator (%(default)s)")
    parser.add_argument("--snr-db", type=float, default=6.0, help="of the simulation (%(default)g)")
    parser.add_argument("--seed", type=int, default=4, help="of the simulated coupling (%(default)s)")
    parser.add_argument("--out", type=Path, default=IMAGES, help="folder of the pictures (%(default)s)")
    options = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="doamc-screenshots-") as folder:
        os.environ["HOME"] = folder  # the window's place is a setting of the user
        spectators = {}
        for name, picture in (("live_doa_qt", "qt_live.png"), ("elevation_live", "sky_qt.png")):
            spectators[name] = watch_window(name, Path(folder), options, options.out / picture)
        draw_terminal(spectators["live_doa_qt"].screen(), options.out / "monitor.png")
        draw_band(options.seconds, options.out / "band_qt.png")
        drawn = {"live_doa_qt": ("all", "plot_run.png"), "elevation_live": ("sky", "plot_sky.png")}
        for name, (kind, picture) in drawn.items():
            done = doamc(["plot", str(spectators[name].log), "--figure", kind, "-o", str(options.out / picture)])
            if done:
                return done
        return 0


if __name__ == "__main__":
    sys.exit(main())
