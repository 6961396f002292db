"""When the samples of a SigMF recording were received, by ``core:datetime`` of its captures."""

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError


def unix_time(text: str) -> tuple[int, float]:
    """Whole and fractional Unix seconds of ``2026-01-02T03:04:05.678Z``, any number of digits after the point.

    Raises RecordingError on anything else.
    """
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z", text)
    try:
        if match is None:
            raise ValueError("another form")
        moment = datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise RecordingError(f"expected core:datetime such as 2026-01-02T03:04:05.678Z, found {text!r}") from error
    return int(moment.timestamp()), float(match[2] or 0)


def sample_times(captures: Iterable[dict[str, Any]], rate_hz: float, samples: NDArray[Any]) -> NDArray[np.float64]:
    """Unix time in s of samples (numbers, from 0), by the last dated capture that begins at or before each; else NaN.

    Raises RecordingError on a date that cannot be read.
    """
    times = np.full(len(samples), np.nan)
    for capture in sorted(captures, key=lambda c: c["core:sample_start"]):
        if capture.get("core:datetime") is not None:
            start = capture["core:sample_start"]
            later = samples >= start
            times[later] = sum(unix_time(capture["core:datetime"])) + (samples[later] - start) / rate_hz
    return times
