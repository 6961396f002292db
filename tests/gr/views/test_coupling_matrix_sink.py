"""Coupling matrix sink: colours of the cells are those of the values sent."""

import numpy as np
import pmt
import pytest
from gr_doamc import coupling_matrix_sink
from matplotlib import colormaps

from doamc.errors import ViewError
from tests.gr.looking import estimate, picture, show
from tests.gr.running import posting, run


def matrix(n, seed=0):
    rng = np.random.default_rng(seed)
    c = 10 ** rng.uniform(-2, 0, (n, n)) * np.exp(2j * np.pi * rng.random((n, n)))  # -40 to 0 dB
    return c


@pytest.fixture
def shown(qt):
    def do(sink, messages, size=(640, 360)):
        view = sink.qwidget()
        view.resize(*size)
        run(posting([pmt.to_pmt(m) for m in messages], sink, "estimates"))
        show(view, qt.QApplication.instance(), messages[-1]["seq"])
        return picture(view), view

    return do


@pytest.mark.parametrize(("n", "size"), [(2, (300, 200)), (5, (640, 360)), (8, (500, 900)), (16, (1200, 700))])
def test_cells_have_the_colours_of_their_values(shown, n, size):
    c = matrix(n, n)
    pixels, view = shown(coupling_matrix_sink("Coupling", floor_db=-30.0), [estimate(1, coupling=c)], size)
    db, degrees = 20 * np.log10(abs(c)), np.degrees(np.angle(c))
    for row, column in np.ndindex(n, n):
        for part, colours, share in ((0, "viridis", (db + 30) / 30), (1, "twilight", (degrees + 180) / 360)):
            place = view.cell(part, row, column)
            # a corner of the cell: a number may stand in the middle
            x, y = int(place.left() + 0.15 * place.width()), int(place.top() + 0.15 * place.height())
            if part == 1 and db[row, column] < -30:
                continue  # hatched, see below
            wanted = np.array(colormaps[colours](np.clip(share[row, column], 0, 1), bytes=True)[:3])
            # Qt's table has 256 colours, too, rounded where matplotlib's is cut
            np.testing.assert_allclose(pixels[y, x].astype(int), wanted, atol=9)
    assert view.cell(0, 0, 0).width() > 5


def test_the_phase_of_what_is_below_the_floor_is_left_blank(shown):
    c = np.array([[1.0, 0.001], [0.5j, 1.0]])
    pixels, view = shown(coupling_matrix_sink(), [estimate(0, coupling=c)])
    blank, known = (view.cell(1, *cell) for cell in ((0, 1), (1, 0)))

    def cut(r):
        return pixels[int(r.top()) + 2 : int(r.bottom()) - 2, int(r.left()) + 2 : int(r.right()) - 2].reshape(-1, 3)

    base = view.palette().base().color()
    assert (cut(blank) == [base.red(), base.green(), base.blue()]).all(1).mean() > 0.5  # but for the hatching
    flat = cut(known)
    assert (flat == np.median(flat, 0)).all(1).mean() > 0.5 and not (np.median(flat, 0) > 240).all()


def test_a_method_without_coupling_says_so(shown):
    c = matrix(4)
    pixels, view = shown(coupling_matrix_sink(), [estimate(0, coupling=c), estimate(1, method="music")])
    assert view.coupling is None
    assert np.ptp(pixels.astype(int), axis=2).max() == 0  # grey text on a plain ground, no maps


def test_arguments_out_of_range_are_refused(qt):
    with pytest.raises(ViewError, match="floor_db"):
        coupling_matrix_sink(floor_db=3)
