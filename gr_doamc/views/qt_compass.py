"""Compass rose: a needle and a wedge of one standard deviation a source, and where they were before.

Where estimates tell elevations it is a sky plot (`qt_sky`): a dot a source, in its ellipse of 90 %.
"""

import math
from collections import deque

from doamc.views.convention import Convention
from doamc.views.numbering import SourceNumbering
from doamc.views.palette import colour_of
from doamc.views.reading import Reading
from doamc.views.sky_ellipse import below_horizon
from gr_doamc.views.qt_axes import LEFT_END, text_at
from gr_doamc.views.qt_binding import Qt, QtCore, QtGui
from gr_doamc.views.qt_rose import RoseView
from gr_doamc.views.qt_sky import Panorama, PolarSky, draw_modes, draw_sources

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
        #: time in s, azimuth in degrees, number of the source, heading that was told, elevation in degrees or NaN
        self.trail: deque[tuple[float, float, int, float | None, float]] = deque(maxlen=MOST)
        #: whether the sources have elevations, and any was below the horizon
        self.elevated = self.below = False
        self._numbering = SourceNumbering()

    def show_reading(self, reading: Reading) -> None:
        """The reading becomes the newest; one that comes late joins the trail only."""
        numbers = self._numbering.assign(reading.time_s, reading.azimuth_deg)
        if self.reading is None or reading.time_s >= self.reading.time_s or reading.seq <= self.reading.seq:
            self.reading, self.numbers, self.heading_deg = reading, numbers, reading.heading_deg
        if self.trail and self.trail[-1][0] > reading.time_s + self.history:  # another run
            self.trail.clear()
            self.below = False
        heading, above = reading.heading_deg, reading.elevation_deg
        levels = [math.nan] * len(numbers) if above is None else [float(e) for e in above]
        self.trail += [
            (reading.time_s, float(a), n, heading, e)
            for a, n, e in zip(reading.azimuth_deg, numbers, levels, strict=True)
        ]
        if len(reading.azimuth_deg):
            self.elevated = above is not None
            self.lines = 2 if self.elevated else 1
            self.below = self.elevated and (self.below or below_horizon(above))
            self.signed = bool((reading.azimuth_deg < 0).any() or (reading.azimuth_deg <= 180).all())

    def draw(self, painter: QtGui.QPainter, area: QtCore.QRectF) -> None:
        """Rose and trail; then wedges, needles and numbers, unless no reading has come for a while."""
        if self.elevated and self.reading is not None:
            self._draw_sky(painter, area, self.reading)
            return
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

    def sky(self) -> PolarSky | Panorama:
        """Where directions lie on the screen; what lies below the horizon needs another plot."""
        return Panorama(self, self.shown) if self.below else PolarSky(self)

    def _draw_sky(self, painter: QtGui.QPainter, area: QtCore.QRectF, reading: Reading) -> None:
        sky = self.sky()
        sky.draw_face(painter)
        painter.save()
        painter.setClipPath(sky.outline())
        painter.setPen(Qt.PenStyle.NoPen)
        for age, azimuth, number, then, elevation in self._past(reading.time_s):
            if elevation == elevation:
                painter.setBrush(faded(number, age))
                painter.drawEllipse(sky.point(azimuth, elevation, then), 2.2, 2.2)
        if not self.silence_s():
            draw_modes(painter, sky, self.faint(0.6), reading)
            draw_sources(painter, sky, self.numbers, reading)
        painter.restore()
        if not self.silence_s():
            self._draw_numbers(painter, area, reading, sky.numbers_beside)

    def _past(self, now_s: float) -> list[tuple[float, float, int, Convention, float]]:
        """What the trail shows: age as a share of it, azimuth, number, convention of then, elevation."""
        if self.history <= 0:
            return []
        rows = [((now_s - t) / self.history, a, n, self.convention.of(h), e) for t, a, n, h, e in self.trail]
        return [row for row in rows if 0 <= row[0] <= 1 and row[3].is_compass == self.shown.is_compass]

    def _draw_trail(self, painter: QtGui.QPainter, now_s: float) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        for age, azimuth, number, then, _ in self._past(now_s):
            painter.setBrush(faded(number, age))
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

    def _draw_numbers(
        self, painter: QtGui.QPainter, area: QtCore.QRectF, reading: Reading, beside: bool = True
    ) -> None:
        centre, radius, wide = self.arrangement()
        high = 1.25 * painter.fontMetrics().height()
        lines = [(colour_of(n), words) for n, words in zip(self.numbers, self._words(reading), strict=True)]
        if wide and beside:
            left = centre.x() + radius + painter.fontMetrics().horizontalAdvance("-150°") + 14
            top = centre.y() - high * (self.lines * len(lines) + 2) / 2
            for k, (colour, words) in enumerate(lines):
                self._draw_entry(painter, QtCore.QPointF(left, top + self.lines * k * high), high, colour, words)
            below = QtCore.QPointF(left, top + (self.lines * len(lines) + 0.6) * high)
            for k, text in enumerate(self.about()):
                text_at(painter, self.faint(0.65), below + QtCore.QPointF(0, k * high), text, LEFT_END)
            return
        row = area.bottom() - (0.4 + self.lines) * high
        width = area.width() / max(1, len(lines))
        for k, (colour, words) in enumerate(lines):
            half = (max(map(painter.fontMetrics().horizontalAdvance, words)) + 14) / 2
            at = QtCore.QPointF(area.left() + (k + 0.5) * width - half, row)
            self._draw_entry(painter, at, high, colour, words)
        about = QtCore.QPointF(area.center().x(), row + self.lines * high)
        text_at(painter, self.faint(0.65), about, ", ".join(self.about()))

    def _words(self, reading: Reading) -> list[list[str]]:
        """What is written of each source: its angle, and its elevation where it has one."""
        words = [
            [self.shown.text(a, s, 1 if s != s or s >= 0.1 else 2)]
            for a, s in zip(reading.azimuth_deg, reading.std_deg, strict=True)
        ]
        if reading.elevation_deg is not None:
            spread = reading.elevation_std_deg
            for k, (line, elevation) in enumerate(zip(words, reading.elevation_deg, strict=True)):
                known = spread is not None and spread[k] == spread[k]
                line.append(f"el {elevation:+.1f}°" + (f" ± {spread[k]:.1f}°" if known and spread is not None else ""))
        return words

    def _draw_entry(
        self, painter: QtGui.QPainter, at: QtCore.QPointF, high: float, colour: str, words: list[str]
    ) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QtGui.QColor(colour))
        painter.drawEllipse(at + QtCore.QPointF(4, 0), 4, 4)
        for k, text in enumerate(words):
            text_at(painter, self.ink, at + QtCore.QPointF(14, k * high), text, LEFT_END)

    def about(self) -> list[str]:
        """What the numbers are of."""
        if self.reading is None:
            return []
        found = [] if len(self.reading.azimuth_deg) else ["no emitter"]
        if self.reading.warning:
            found.append(self.reading.warning)
        if self.reading.remark:
            found.append(self.reading.remark)
        return [*found, self.reading.array, self.reading.method, self.shown.orientation]


def faded(number: int, age: float) -> QtGui.QColor:
    """Colour of a source in the trail, by its age as a share of it."""
    colour = QtGui.QColor(colour_of(number))
    colour.setAlphaF(0.75 - 0.55 * age)
    return colour
