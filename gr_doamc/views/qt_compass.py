"""Compass rose: a needle and a wedge of one standard deviation a source, and where they were before."""

from collections import deque

from doamc.views.convention import Convention
from doamc.views.numbering import SourceNumbering
from doamc.views.palette import colour_of
from doamc.views.reading import Reading
from gr_doamc.views.qt_axes import LEFT_END, text_at
from gr_doamc.views.qt_binding import Qt, QtCore, QtGui
from gr_doamc.views.qt_rose import RoseView

#: bearings kept for the trail, whatever the time
MOST = 1000
#: the trail ends so far in, as a share of the radius
INNER = 0.3


class CompassView(RoseView):
    """A rose with the newest reading, and a trail: the newest bearings at the rim, older ones further in.

    convention: of angles. history: s of stream time that the trail shows; 0 shows none.
    """

    def __init__(self, title: str, convention: Convention, history: float, update_time: float) -> None:
        super().__init__(title, convention, update_time)
        self.history = history
        self.reading: Reading | None = None
        self.numbers: list[int] = []
        #: time in s, azimuth in degrees, number of the source, heading that was told
        self.trail: deque[tuple[float, float, int, float | None]] = deque(maxlen=MOST)
        self._numbering = SourceNumbering()

    def show_reading(self, reading: Reading) -> None:
        """The reading becomes the newest; one that comes late joins the trail only."""
        numbers = self._numbering.assign(reading.time_s, reading.azimuth_deg)
        if self.reading is None or reading.time_s >= self.reading.time_s or reading.seq <= self.reading.seq:
            self.reading, self.numbers, self.heading_deg = reading, numbers, reading.heading_deg
        if self.trail and self.trail[-1][0] > reading.time_s + self.history:  # another run
            self.trail.clear()
        heading = reading.heading_deg
        self.trail += [
            (reading.time_s, float(a), n, heading) for a, n in zip(reading.azimuth_deg, numbers, strict=True)
        ]
        if len(reading.azimuth_deg):
            self.signed = bool((reading.azimuth_deg < 0).any() or (reading.azimuth_deg <= 180).all())

    def draw(self, painter: QtGui.QPainter, area: QtCore.QRectF) -> None:
        """Rose and trail; then wedges, needles and numbers, unless no reading has come for a while."""
        self.draw_face(painter)
        if self.reading is None:
            text_at(painter, self.faint(0.6), self.rose()[0], "waiting for estimates")
            return
        self._draw_trail(painter, self.reading.time_s)
        if self.silence_s():  # where the sources are now is not known
            return
        sources = list(zip(self.numbers, self.reading.azimuth_deg, self.reading.std_deg, strict=True))
        for number, azimuth, std in sources:
            self._draw_wedge(painter, QtGui.QColor(colour_of(number)), azimuth, std)
        for number, azimuth, _ in sources:
            painter.setPen(QtGui.QPen(QtGui.QColor(colour_of(number)), 3, cap=Qt.PenCapStyle.RoundCap))
            painter.drawLine(self.rose()[0], self.point(azimuth))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.ink)
        painter.drawEllipse(self.rose()[0], 4, 4)
        self._draw_numbers(painter, area, self.reading)

    def _draw_trail(self, painter: QtGui.QPainter, now_s: float) -> None:
        if self.history <= 0:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        for time_s, azimuth, number, heading in self.trail:
            age, then = (now_s - time_s) / self.history, self.convention.of(heading)
            if 0 <= age <= 1 and then.is_compass == self.shown.is_compass:
                colour = QtGui.QColor(colour_of(number))
                colour.setAlphaF(0.75 - 0.55 * age)
                painter.setBrush(colour)
                painter.drawEllipse(self.point(azimuth, 1 - (1 - INNER) * age, then), 2.2, 2.2)

    def _draw_wedge(self, painter: QtGui.QPainter, colour: QtGui.QColor, azimuth: float, std: float) -> None:
        if not std > 0:  # NaN: not known
            return
        centre, radius = self.rose()
        box = QtCore.QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
        half = min(std, 180.0)
        begin, span = self.shown.screen_deg(azimuth) - half, 2 * half
        fill = QtGui.QColor(colour)
        fill.setAlphaF(0.25)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPie(box, round(16 * begin), max(1, round(16 * span)))
        rim = QtGui.QPen(colour, 5, cap=Qt.PenCapStyle.FlatCap)
        painter.setPen(rim)
        painter.drawArc(box, round(16 * begin), max(1, round(16 * span)))

    def _draw_numbers(self, painter: QtGui.QPainter, area: QtCore.QRectF, reading: Reading) -> None:
        centre, radius, wide = self.arrangement()
        high = 1.25 * painter.fontMetrics().height()
        lines = [
            (colour_of(n), self.shown.text(a, s, 1 if s != s or s >= 0.1 else 2))
            for n, a, s in zip(self.numbers, reading.azimuth_deg, reading.std_deg, strict=True)
        ]
        if wide:
            left = centre.x() + radius + painter.fontMetrics().horizontalAdvance("-150°") + 14
            top = centre.y() - high * (len(lines) + 2) / 2
            for k, (colour, text) in enumerate(lines):
                self._draw_entry(painter, QtCore.QPointF(left, top + k * high), colour, text)
            below = QtCore.QPointF(left, top + (len(lines) + 0.6) * high)
            for k, text in enumerate(self.about()):
                text_at(painter, self.faint(0.65), below + QtCore.QPointF(0, k * high), text, LEFT_END)
            return
        row = area.bottom() - 1.4 * high
        width = area.width() / max(1, len(lines))
        for k, (colour, text) in enumerate(lines):
            half = (painter.fontMetrics().horizontalAdvance(text) + 14) / 2
            self._draw_entry(painter, QtCore.QPointF(area.left() + (k + 0.5) * width - half, row), colour, text)
        text_at(painter, self.faint(0.65), QtCore.QPointF(area.center().x(), row + high), ", ".join(self.about()))

    def _draw_entry(self, painter: QtGui.QPainter, at: QtCore.QPointF, colour: str, text: str) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QtGui.QColor(colour))
        painter.drawEllipse(at + QtCore.QPointF(4, 0), 4, 4)
        text_at(painter, self.ink, at + QtCore.QPointF(14, 0), text, LEFT_END)

    def about(self) -> list[str]:
        """What the numbers are of."""
        if self.reading is None:
            return []
        found = [] if len(self.reading.azimuth_deg) else ["no emitter"]
        if self.reading.warning:
            found.append(self.reading.warning)
        return [*found, self.reading.array, self.reading.method, self.shown.orientation]
