"""Ticks of axes are round numbers, and no more than there is room for."""

import itertools
import math

from hypothesis import assume, given
from hypothesis import strategies as st


@given(low=st.floats(-1e4, 1e4), span=st.floats(1e-3, 1e4), most=st.integers(2, 20))
def test_ticks_are_round_equally_spaced_and_few(qt, low, span, most):
    from gr_doamc.views.qt_axes import round_ticks

    assume(span > 1e-6 * abs(low))
    ticks = round_ticks(low, low + span, most)
    assert len(ticks) <= most and all(low - 1e-6 * span <= t <= low + 1.000001 * span for t in ticks)
    steps = {round((b - a) / span, 6) for a, b in itertools.pairwise(ticks)}
    assert len(steps) <= 1
    if len(ticks) > 1:
        step = ticks[1] - ticks[0]
        first = float(f"{step:.6g}") / 10 ** math.floor(math.log10(step * 1.0000001))
        angles = (15, 30, 45, 60, 90, 180)
        assert any(abs(first - d) < 1e-3 for d in (1, 2, 5)) or any(abs(step - d) < 1e-6 for d in angles)


def test_ticks_of_angles_divide_the_circle(qt):
    from gr_doamc.views.qt_axes import label, round_ticks

    assert round_ticks(-180.0, 180.0, 9) == [-180, -135, -90, -45, 0, 45, 90, 135, 180]
    assert round_ticks(0.0, 360.0, 5) == [0, 90, 180, 270, 360]
    assert [label(t) for t in round_ticks(0.0, 1.0, 6)] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
