"""Dates of captures: their form, and the time of samples in between."""

import numpy as np
import pytest

from doamc.errors import RecordingError
from doamc.snapshots.sigmf_time import sample_times, unix_time

#: seconds from 1970-01-01 to 2026-01-02, counted by days and leap years
DAY = 86400 * (56 * 365 + 14 + 1)


@pytest.mark.parametrize(
    ("text", "whole", "fraction"),
    [("2026-01-02T00:00:00Z", DAY, 0.0), ("2026-01-02T00:00:01.5Z", DAY + 1, 0.5),
     ("2026-01-02T01:00:00.123456789Z", DAY + 3600, 0.123456789)],
)  # fmt: skip
def test_dates_to_any_fraction(text, whole, fraction):
    assert unix_time(text) == (whole, fraction)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-02T00:00:00Z", "2026-01-02T00:00:00", "2026-01-02"])
def test_other_dates_are_refused(text):
    with pytest.raises(RecordingError, match="core:datetime"):
        unix_time(text)


def test_samples_take_the_time_of_the_last_dated_capture():
    captures = [
        {"core:sample_start": 300, "core:datetime": "2026-01-02T00:01:00Z"}, {"core:sample_start": 0},
        {"core:sample_start": 100, "core:datetime": "2026-01-02T00:00:00Z"}, {"core:sample_start": 200},
    ]  # fmt: skip
    times = sample_times(captures, 10.0, np.array([50, 100, 250, 300, 310]))
    assert np.isnan(times[0]) and times[1:].tolist() == [DAY, DAY + 15, DAY + 60, DAY + 61]
