"""Numbers of sources: they stay with an emitter through crossings of the seam, births and deaths."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from doamc.views import SourceNumbering


def test_numbers_stay_through_the_seam_and_in_another_order():
    numbering = SourceNumbering()
    assert numbering.assign(0.0, np.array([10.0, 350.0])) == [0, 1]
    assert numbering.assign(0.1, np.array([2.0, 12.0])) == [1, 0]  # 350 went on to 2 through 360
    assert numbering.assign(0.2, np.array([12.0])) == [0]
    assert numbering.assign(0.3, np.array([3.0, 12.0, 200.0])) == [1, 0, 2]


def test_a_number_is_free_once_its_source_is_gone_for_long():
    numbering = SourceNumbering(forget_s=1.0)
    assert numbering.assign(0.0, np.array([0.0, 90.0])) == [0, 1]
    assert numbering.assign(0.5, np.array([90.0, 180.0])) == [1, 2]  # 0 may come back
    assert numbering.assign(1.4, np.array([90.0, 270.0])) == [1, 0]  # it did not


def test_strays_do_not_use_up_the_numbers():
    """A steady source among strays that come once, far apart: it keeps its number, they share a few."""
    numbering, rng = SourceNumbering(), np.random.default_rng(0)
    numbers = [numbering.assign(0.1 * k, np.array([0.0, rng.uniform(40, 320)])) for k in range(200)]
    assert {n[0] for n in numbers} == {0} and max(n[1] for n in numbers) <= 5


@given(st.lists(st.lists(st.integers(-180, 360), max_size=5), max_size=6))
def test_numbers_of_an_estimate_differ_and_are_the_smallest(estimates):
    numbering = SourceNumbering()
    for k, azimuth in enumerate(estimates):
        numbers = numbering.assign(0.1 * k, np.array(azimuth, float))
        assert len(set(numbers)) == len(azimuth) and all(0 <= n < 30 for n in numbers)
        # the same estimate again: nothing moved, so the numbers stay
        if len(set(a % 360 for a in azimuth)) == len(azimuth):
            assert numbering.assign(0.1 * k, np.array(azimuth, float)) == numbers
