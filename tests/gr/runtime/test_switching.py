"""The switch interval is short while anybody wishes it, and as it was before and after."""

import sys

import pytest
from gr_doamc.runtime.switching import INTERVAL_S, hurry


def test_the_interval_is_short_until_the_last_is_done():
    before = sys.getswitchinterval()
    assert before > INTERVAL_S
    first, second = hurry(), hurry()
    with first:
        assert sys.getswitchinterval() == pytest.approx(INTERVAL_S, abs=2e-6)
        second.__enter__()
    assert sys.getswitchinterval() == pytest.approx(INTERVAL_S, abs=2e-6)
    with pytest.raises(ValueError, match="fault"):
        second.gen.throw(ValueError("fault"))
    assert sys.getswitchinterval() == before


def test_one_that_is_shorter_already_stays():
    before = sys.getswitchinterval()
    sys.setswitchinterval(INTERVAL_S / 5)
    try:
        with hurry():
            assert sys.getswitchinterval() == pytest.approx(INTERVAL_S / 5, abs=2e-6)
        assert sys.getswitchinterval() == pytest.approx(INTERVAL_S / 5, abs=2e-6)
    finally:
        sys.setswitchinterval(before)
