"""Coupling matrix: magnitude and phase as two heat maps with their colour bars."""

import math

import numpy as np

from doamc.home import settle_matplotlib
from doamc.views.palette import MAGNITUDE_MAP, PHASE_MAP, magnitude_db, phase_deg
from doamc.views.reading import Reading
from gr_doamc.views.qt_axes import LEFT_END, RIGHT_END, label, round_ticks, text_at
from gr_doamc.views.qt_binding import Qt, QtCore, QtGui
from gr_doamc.views.qt_view import View


class Scale:
    """A colour map of matplotlib between two values, for Qt."""

    def __init__(self, name: str, low: float, high: float) -> None:
        settle_matplotlib()
        from matplotlib import colormaps  # late: a window with a matrix is the only one to need it

        self.low, self.high = low, high
        self._table = [QtGui.QColor(*c) for c in colormaps[name](np.linspace(0, 1, 256), bytes=True)[:, :3].tolist()]

    def colour(self, value: float) -> QtGui.QColor:
        """Colour of a value; those outside take that of the end."""
        share = (value - self.low) / (self.high - self.low)
        return self._table[round(255 * min(1.0, max(0.0, share)))]


class MatrixView(View):
    """The newest coupling matrix that came.

    floor_db: least magnitude shown, dB; phases of what is below are left blank.
    """

    def __init__(self, title: str, floor_db: float, update_time: float) -> None:
        super().__init__(title, update_time)
        self.floor_db = floor_db
        self.coupling: np.ndarray | None = None
        self.n_elements = 0
        self.reading: Reading | None = None
        self.scales = (Scale(MAGNITUDE_MAP, floor_db, 0.0), Scale(PHASE_MAP, -180.0, 180.0))

    def show_reading(self, reading: Reading) -> None:
        """Show the matrix of a reading; one without leaves none."""
        self.reading, self.coupling = reading, reading.coupling
        self.n_elements = 0 if reading.coupling is None else len(reading.coupling)

    def cell(self, part: int, row: int, column: int) -> QtCore.QRectF:
        """Where an element of the matrix is drawn; part 0: magnitude, 1: phase."""
        board, n = self._board(part), self.n_elements
        return QtCore.QRectF(
            board.left() + column * board.width() / n, board.top() + row * board.width() / n,
            board.width() / n, board.width() / n,
        )  # fmt: skip

    def draw(self, painter: QtGui.QPainter, area: QtCore.QRectF) -> None:
        """Both maps, or why there is none."""
        if self.coupling is None:
            text = "waiting for estimates"
            if self.reading is not None:
                text = f"method {self.reading.method} estimates no coupling"
            painter.setPen(QtGui.QPen(self.faint(0.4), 1))
            painter.setBrush(self.palette().base())
            painter.drawRect(area)
            text_at(painter, self.faint(0.6), area.center(), text)
            return
        values = (magnitude_db(self.coupling), phase_deg(self.coupling, self.floor_db))
        for part, name in enumerate(("|C| (dB)", "arg C (deg)")):
            self._draw_map(painter, part, name, values[part])

    def _board(self, part: int) -> QtCore.QRectF:
        """Square of a map, beside or above the other, whichever leaves it larger."""
        area, metrics = self.area(), QtGui.QFontMetricsF(self.font())
        high = metrics.height()
        left, right = metrics.horizontalAdvance("00") + 8, metrics.horizontalAdvance("-180") + 34
        top, below = 1.5 * high, 2.3 * high

        def side(width: float, height: float) -> float:
            return max(20.0, min(width - left - right, height - top - below))

        beside, stacked = side(area.width() / 2, area.height()), side(area.width(), area.height() / 2)
        across, down = (2, 1) if beside >= stacked else (1, 2)
        size = max(beside, stacked)
        room = QtCore.QSizeF(area.width() / across, area.height() / down)
        corner = area.topLeft() + QtCore.QPointF(part * room.width() * (across - 1), part * room.height() * (down - 1))
        x = corner.x() + left + (room.width() - left - right - size) / 2
        y = corner.y() + top + (room.height() - top - below - size) / 2
        return QtCore.QRectF(x, y, size, size)

    def _draw_map(self, painter: QtGui.QPainter, part: int, name: str, values: np.ndarray) -> None:
        board, n, high = self._board(part), len(values), painter.fontMetrics().height()
        painter.setFont(self.sized_font(1.0, bold=True))
        text_at(painter, self.ink, QtCore.QPointF(board.center().x(), board.top() - 0.8 * high), name)
        painter.setFont(self.font())
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, False)
        painter.fillRect(board, self.palette().base())
        for row in range(n):
            for column in range(n):
                value, cell = float(values[row, column]), self.cell(part, row, column)
                if value == value:
                    painter.fillRect(cell, self.scales[part].colour(value))
                else:
                    painter.fillRect(cell, QtGui.QBrush(self.faint(0.25), Qt.BrushStyle.BDiagPattern))
        painter.setPen(QtGui.QPen(self.ink, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(board)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, True)
        self._write_values(painter, part, values)
        every = max(1, math.ceil(n * 1.3 * high / board.width()))
        for k in range(0, n, every):
            cell = self.cell(part, k, k)
            text_at(painter, self.ink, QtCore.QPointF(board.left() - 4, cell.center().y()), str(k), RIGHT_END)
            text_at(painter, self.ink, QtCore.QPointF(cell.center().x(), board.bottom() + 0.6 * high), str(k))
        text_at(painter, self.ink, QtCore.QPointF(board.center().x(), board.bottom() + 1.6 * high), "element")
        self._draw_bar(painter, self.scales[part], board)

    def _write_values(self, painter: QtGui.QPainter, part: int, values: np.ndarray) -> None:
        """Numbers in the cells where they are large enough."""
        painter.setFont(self.sized_font(0.8))
        if self.cell(part, 0, 0).width() < 1.15 * painter.fontMetrics().horizontalAdvance("-188"):
            painter.setFont(self.font())
            return
        for (row, column), value in np.ndenumerate(values):
            if value == value and value >= self.scales[part].low:
                dark = self.scales[part].colour(value).lightnessF() < 0.5
                ink = QtGui.QColor("white" if dark else "black")
                text = f"{value:.0f}".replace("-0", "0") if abs(value) < 0.5 else f"{value:.0f}"
                text_at(painter, ink, self.cell(part, row, column).center(), text)
        painter.setFont(self.font())

    def _draw_bar(self, painter: QtGui.QPainter, scale: Scale, board: QtCore.QRectF) -> None:
        bar = QtCore.QRectF(board.right() + 10, board.top(), 14, board.height())
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, False)
        rows = round(bar.height())
        for k in range(rows):
            value = scale.high + (scale.low - scale.high) * (k + 0.5) / rows
            painter.fillRect(QtCore.QRectF(bar.left(), bar.top() + k, bar.width(), 1), scale.colour(value))
        painter.setPen(QtGui.QPen(self.ink, 1))
        painter.drawRect(bar)
        most = max(2, int(bar.height() / (1.6 * painter.fontMetrics().height())))
        for tick in round_ticks(scale.low, scale.high, most):
            y = bar.bottom() - bar.height() * (tick - scale.low) / (scale.high - scale.low)
            painter.setPen(QtGui.QPen(self.ink, 1))
            painter.drawLine(QtCore.QPointF(bar.right(), y), QtCore.QPointF(bar.right() + 3, y))
            text_at(painter, self.ink, QtCore.QPointF(bar.right() + 6, y), label(tick), LEFT_END)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, True)
