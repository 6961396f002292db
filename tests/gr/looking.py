"""Looking at Qt widgets as a person does: pixels of a picture of them."""

import math
import time

import numpy as np
import pmt
from gnuradio import gr

from doamc.estimates import make_message
from tests.gr.running import posting, run


def estimate(seq=0, azimuth_deg=(-25.0, 40.0), std_deg=None, coupling=None, time_s=None, **changes):
    """A message of an estimate; its stream time is a tenth of its number."""
    about = {
        "seq": seq, "time": 1.79e9, "sample_time": 0.1 * seq if time_s is None else time_s, "frequency_hz": None,
        "array": "ula8", "method": "ml", "azimuth_deg": np.array(azimuth_deg, float), "std_deg": std_deg,
        "power_db": None, "noise_power": 0.1, "coupling": coupling, "snapshots": 64,
        "latency_ms": {"buffer": 1.0, "inference": 2.0, "total": 3.0}, "dropped_batches": 0,
    }  # fmt: skip
    return make_message(**(about | changes))


def picture(view) -> np.ndarray:
    """Pixels of a widget, (height, width, 3)."""
    return image_pixels(view.grab().toImage())


def image_pixels(image) -> np.ndarray:
    """Pixels of a picture of Qt's, (height, width, 3)."""
    image = image.convertToFormat(image.Format.Format_RGB888)
    data = image.constBits().asarray(image.bytesPerLine() * image.height())
    rows = np.frombuffer(data, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()  # the image owns the memory


def of_colour(pixels: np.ndarray, colour: str, near: int = 12) -> np.ndarray:
    """Positions (x, y) of the pixels of a colour (#rrggbb), (K, 2)."""
    wanted = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)])
    y, x = np.nonzero((np.abs(pixels.astype(int) - wanted) <= near).all(2))
    return np.stack([x, y], 1).astype(float)


def screen_angles(points: np.ndarray, centre, least: float = 0.0, most: float = np.inf) -> np.ndarray:
    """Angles in degrees, counter-clockwise from the right, of points between two distances from a centre."""
    x, y = points[:, 0] + 0.5 - centre.x(), centre.y() - points[:, 1] - 0.5
    far = np.hypot(x, y)
    kept = (far > least) & (far < most)
    return np.degrees(np.arctan2(y[kept], x[kept]))


def show(view, application, wanted: int, limit_s: float = 60.0) -> None:
    """Run the event loop of Qt until a view has drawn the estimate of this number."""
    end = time.monotonic() + limit_s
    while view.reading is None or view.reading.seq < wanted:
        assert time.monotonic() < end, "the estimate did not reach the view"
        application.processEvents()
        time.sleep(0.002)


def shown(sink, qt, messages):
    """The picture of a sink after these estimates came through a flowgraph; its view."""
    view = sink.qwidget()
    view.resize(560, 420)
    run(posting([pmt.to_pmt(m) for m in messages], sink, "estimates"))
    show(view, qt.QApplication.instance(), messages[-1]["seq"])
    return picture(view), view


def middle_deg(angles: np.ndarray) -> float:
    """Mean direction of angles in degrees."""
    return math.degrees(math.atan2(np.sin(np.radians(angles)).mean(), np.cos(np.radians(angles)).mean()))


def ended(flowgraph: gr.top_block) -> None:
    """Stop a flowgraph and wait for it."""
    flowgraph.stop()
    flowgraph.wait()
