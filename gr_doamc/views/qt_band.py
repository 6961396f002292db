"""A band: spectrum, waterfall, and bearing against frequency, coloured by direction."""

import math
from collections import deque
from typing import Any

from doamc.views.band import MOST, SHOWN_S
from doamc.views.band_reading import SignalReading, SpectrumReading
from doamc.views.convention import Convention
from doamc.views.palette import direction_rgb
from doamc.views.spectrum_ring import SpectrumRing
from gr_doamc.views.qt_axes import LEFT_END, Axes, axes_frame, text_at
from gr_doamc.views.qt_binding import Qt, QtCore, QtGui
from gr_doamc.views.qt_view import View
from gr_doamc.views.qt_waterfall import Waterfall, draw_spectrum

ROWS, TRAIL = 300, 4000  #: spectra, and places of signals, that are kept
SILENT_S = 10.0  #: stream time after which a signal of which nothing comes is forgotten
_PARTS = (0.30, 0.28, 0.42)  #: of the height
_ZOOM = 1.25


class BandView(View):
    """The newest spectrum, those before it, and the signals.

    convention: of angles. trail_s: stream time for which the places of signals are seen. The wheel zooms.
    """

    what = "spectrum or signal"

    def __init__(self, title: str, convention: Convention, trail_s: float, update_time: float) -> None:
        super().__init__(title, update_time)
        self.convention, self.trail_s = convention, trail_s
        #: of the newest signal, where the orientation may be told
        self.shown = convention
        self.ring = SpectrumRing(ROWS)
        self.signals: dict[int, SignalReading] = {}
        #: stream time, frequency in Hz, angle as it is shown in degrees
        self.trail: deque[tuple[float, float, float]] = deque(maxlen=TRAIL)
        self.zoom_hz: tuple[float, float] | None = None
        self._now = -math.inf
        self._waterfall = Waterfall()
        self.add_action("All of the band", self.show_all)
        self.add_action("Clear", self.clear)

    def clear(self) -> None:
        """Forget what was shown."""
        self.ring.clear()
        self.signals.clear()
        self.trail.clear()
        self._now = -math.inf
        self.update()

    def show_all(self) -> None:
        """End the zoom."""
        self.zoom_hz = None
        self.update()

    def show_reading(self, reading: SignalReading | SpectrumReading) -> None:
        """Take in a signal or a spectrum; a time long before the newest begins anew."""
        if reading.stop_s < self._now - SILENT_S - self.trail_s:
            self.clear()
        self._now = max(self._now, reading.stop_s)
        if isinstance(reading, SpectrumReading):
            self.ring.put(reading)
            return
        shown = self.convention.of(reading.heading_deg)
        if shown.is_compass != self.shown.is_compass:
            self.trail.clear()
        self.shown = shown
        self.signals.pop(reading.id, None)
        self.signals[reading.id] = reading
        if len(self.signals) > MOST:
            del self.signals[next(iter(self.signals))]
        for azimuth in reading.azimuth_deg:
            self.trail.append((reading.stop_s, reading.frequency_hz, float(shown.shown_deg(azimuth))))

    def current(self) -> list[SignalReading]:
        """Signals that are there, or have just ended."""
        limits = {True: SHOWN_S, False: SILENT_S}
        self.signals = {k: s for k, s in self.signals.items() if self._now - s.stop_s < limits[s.ended]}
        return list(self.signals.values())

    def axes(self) -> tuple[Axes, Axes, Axes]:
        """Of spectrum, waterfall and bearings, from MHz to dBFS, spectra before the newest, and degrees."""
        area, metrics = self.area(), self.fontMetrics()
        area = area.adjusted(0, 1.3 * metrics.height(), 0, 0)
        whole = axes_frame(area, metrics)
        low, high = self.zoom_hz or self.ring.band_hz or (0.0, 1e6)
        x, gap, top, frames = (low / 1e6, high / 1e6), 8.0, whole.top(), []
        for part in _PARTS:
            tall = part * whole.height() - gap
            frames.append(QtCore.QRectF(whole.left(), top, whole.width(), tall))
            top += tall + gap
        frames[-1].setBottom(whole.bottom())
        return (
            Axes(frames[0], x, self.ring.range_dbfs), Axes(frames[1], x, (float(ROWS), 0.0)),
            Axes(frames[2], x, self._angles()),
        )  # fmt: skip

    def draw(self, painter: QtGui.QPainter, area: QtCore.QRectF) -> None:
        """All three, one above the other."""
        spectrum, fall, bearings = self.axes()
        base, grid = self.palette().base(), self.faint(0.25)
        signals = self.current()
        spectrum.draw(painter, self.ink, grid, base, ("", "dBFS"))
        bearings.draw(painter, self.ink, grid, base, ("MHz", f"{self.shown.quantity} (deg)"))
        above = QtCore.QPointF(spectrum.frame.left(), spectrum.frame.top() - 0.75 * painter.fontMetrics().height())
        text_at(painter, self.faint(0.65), above, f"{len(signals)} signals, {self.shown.orientation}", LEFT_END)
        if self.ring.newest is None:
            text_at(painter, self.faint(0.6), spectrum.frame.center(), "waiting for a spectrum")
        self._draw_stripes(painter, spectrum, signals)
        newest = self.palette().color(QtGui.QPalette.ColorRole.Highlight)
        draw_spectrum(painter, spectrum, self.ring, self.ink, self.faint(0.35), newest)
        self._waterfall.draw(painter, fall, self.ring, self.ink, base)
        self._draw_bearings(painter, bearings, signals)

    def wheelEvent(self, event: Any) -> None:
        """Zoom about the pointer; called by Qt."""
        axes, whole = self.axes()[0], self.ring.band_hz
        if whole is None:
            return
        place = event.position()
        share = min(1.0, max(0.0, (place.x() - axes.frame.left()) / axes.frame.width()))
        low, high = (1e6 * v for v in axes.x)
        factor = 1 / _ZOOM if event.angleDelta().y() > 0 else _ZOOM
        width = min(whole[1] - whole[0], max((high - low) * factor, (whole[1] - whole[0]) / 100))
        begin = min(max(low + share * (high - low - width), whole[0]), whole[1] - width)
        self.zoom_hz = None if width >= whole[1] - whole[0] else (begin, begin + width)
        self.update()

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """Show all of the band; called by Qt."""
        self.show_all()

    def _angles(self) -> tuple[float, float]:
        """A whole turn, or the front half where nothing is ever behind."""
        if self.shown.is_compass:
            return 0.0, 360.0
        angles = [a for *_, a in self.trail]
        if any(a > 180 for a in angles):
            return 0.0, 360.0
        return (-180.0, 180.0) if any(abs(a) > 90 for a in angles) else (-90.0, 90.0)

    def _edges(self, axes: Axes, signal: SignalReading) -> tuple[float, float]:
        """Where a signal begins and ends on the screen, at least four points apart."""
        half = signal.bandwidth_hz / 2
        low, high = (axes.at((signal.frequency_hz + side * half) / 1e6, axes.y[0]).x() for side in (-1, 1))
        more = max(0.0, 4.0 - (high - low)) / 2
        return low - more, high + more

    def _colour(self, angle_deg: float, alpha: float = 1.0) -> QtGui.QColor:
        colour = QtGui.QColor(*direction_rgb(angle_deg))
        colour.setAlphaF(alpha)
        return colour

    def _draw_stripes(self, painter: QtGui.QPainter, axes: Axes, signals: list[SignalReading]) -> None:
        painter.save()
        painter.setClipRect(axes.frame)
        for s in signals:
            low, high = self._edges(axes, s)
            shown = self.convention.of(s.heading_deg)
            faded = 0.5 if s.ended else 1.0
            for tall, alpha in ((axes.frame.height(), 0.18), (5.0, 1.0)):
                colour = self.faint(alpha * faded)
                if len(s.azimuth_deg):
                    colour = self._colour(float(shown.shown_deg(s.azimuth_deg[0])), alpha * faded)
                painter.fillRect(QtCore.QRectF(low, axes.frame.top(), high - low, tall), colour)
        painter.restore()

    def _draw_bearings(self, painter: QtGui.QPainter, axes: Axes, signals: list[SignalReading]) -> None:
        frame = axes.frame
        for k in range(round(frame.height())):  # which colour is which direction
            angle = axes.y[1] - (axes.y[1] - axes.y[0]) * k / frame.height()
            painter.fillRect(QtCore.QRectF(frame.right() + 3, frame.top() + k, 5, 1.5), self._colour(angle))
        painter.save()
        painter.setClipRect(frame)
        for time_s, frequency, angle in self.trail:
            left = 1 - (self._now - time_s) / self.trail_s if self.trail_s > 0 else 0.0
            if left > 0:
                point = axes.at(frequency / 1e6, self._on_axis(axes, angle))
                painter.fillRect(QtCore.QRectF(point.x() - 1, point.y() - 1, 2, 2), self._colour(angle, 0.35 * left))
        for s in signals:
            low, high = self._edges(axes, s)
            shown = self.convention.of(s.heading_deg)
            if shown.is_compass != self.shown.is_compass:
                continue
            for azimuth, std in zip(s.azimuth_deg, s.std_deg, strict=True):
                angle = float(shown.shown_deg(azimuth))
                colour, y = self._colour(angle, 0.45 if s.ended else 1.0), self._on_axis(axes, angle)
                middle = s.frequency_hz / 1e6
                if std > 0:
                    painter.setPen(QtGui.QPen(colour, 2, cap=Qt.PenCapStyle.FlatCap))
                    painter.drawLine(axes.at(middle, y - std), axes.at(middle, y + std))
                at = axes.at(middle, y).y()
                wide = max(7.0, high - low)
                painter.fillRect(QtCore.QRectF((low + high - wide) / 2, at - 3.5, wide, 7), colour)
        painter.restore()

    def _on_axis(self, axes: Axes, angle_deg: float) -> float:
        """The angle within the turn that the axis shows."""
        low = -180.0 if axes.y[0] < 0 else axes.y[0]
        return low + (angle_deg - low) % 360
