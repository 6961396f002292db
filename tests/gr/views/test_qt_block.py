"""What all Qt sinks share: bounded hand-over, no waiting for the window, faults that are told."""

import itertools
import subprocess
import sys
import time

import pmt
import pytest
from gr_doamc import compass_sink

from doamc.views.palette import COLOURS
from tests.gr.looking import estimate, of_colour, picture, show
from tests.gr.running import posting, run


def test_a_window_that_does_not_draw_holds_up_nobody_and_keeps_a_bounded_inbox(qt):
    sink = compass_sink()
    run(posting([pmt.to_pmt(estimate(k)) for k in range(2000)], sink, "estimates"))  # Qt runs no events meanwhile
    assert sink.counters == {"failed": 0, "shown": 2000}
    view = sink.qwidget()
    assert len(view._inbox) == 500 and view.reading is None
    show(view, qt.QApplication.instance(), 1999)  # the newest are those that stayed
    assert len(view._inbox) == 0 and len(view.trail) == 1000


def test_drawing_keeps_its_pace(qt):
    view = compass_sink(update_time=0.2).qwidget()
    drawn = []
    take_in = view.take_in
    view._timer.timeout.disconnect()
    view._timer.timeout.connect(lambda: (drawn.append(time.monotonic()), take_in()))
    from doamc.views import read_estimate

    readings = itertools.cycle(read_estimate(estimate(k)) for k in range(50))
    end = time.monotonic() + 60
    while len(drawn) < 5:
        assert time.monotonic() < end
        for reading in itertools.islice(readings, 20):
            view.put(reading)
        qt.QApplication.instance().processEvents()
        time.sleep(0.001)
    assert min(b - a for a, b in itertools.pairwise(drawn)) > 0.18


def test_held_pictures_stay(qt):
    sink = compass_sink()
    view = sink.qwidget()
    hold = next(a for a in view.actions() if a.text() == "Hold")
    run(posting([pmt.to_pmt(estimate(0))], sink, "estimates"))
    show(view, qt.QApplication.instance(), 0)
    hold.trigger()
    run(posting([pmt.to_pmt(estimate(5))], sink, "estimates"))
    view.take_in()
    assert view.reading.seq == 0
    hold.trigger()
    run(posting([pmt.to_pmt(estimate(6))], sink, "estimates"))
    show(view, qt.QApplication.instance(), 6)


def test_messages_that_are_no_estimates_are_counted_and_told(qt):
    sink = compass_sink()
    messages = [pmt.intern("nonsense"), pmt.to_pmt({"seq": 1}), pmt.to_pmt(estimate(2))]
    flowgraph = posting(messages, sink, "estimates", ("status",))
    run(flowgraph)
    assert sink.counters == {"failed": 2, "shown": 1}
    told = flowgraph.collectors["status"].messages
    assert [m["state"] for m in told] == ["error", "error"] and "expected an estimate" in told[-1]["last_error"]


def test_what_cannot_be_drawn_is_told_and_does_not_end_the_process(qt):
    sink = compass_sink(history=1.0)
    view = sink.qwidget()
    flowgraph = posting([pmt.to_pmt(estimate(0, (1e300,), std_deg=[1.0]))], sink, "estimates")
    run(flowgraph)
    view.take_in()
    view.grab()
    assert sink.counters["failed"] > 0 and "Error" in sink.last_error
    run(posting([pmt.to_pmt(estimate(1, (30.0,), std_deg=[1.0]))], sink, "estimates"))
    show(view, qt.QApplication.instance(), 1)
    assert len(of_colour(picture(view), COLOURS[1])) > 20  # the next one is drawn, as another source


@pytest.mark.parametrize("sink", ["compass_sink", "coupling_matrix_sink", "bearing_history_sink"])
def test_without_an_application_the_error_says_what_to_do(sink):
    """Qt by itself would end the process."""
    code = f"import gr_doamc\ntry: gr_doamc.{sink}()\nexcept Exception as e: print(type(e).__name__, e)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ViewError expected a Qt application") and "QT GUI" in done.stdout
