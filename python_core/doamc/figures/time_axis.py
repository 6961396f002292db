"""The time of a run along a horizontal axis, in seconds, or in parts of them where it is shorter."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

#: lengths from which on a unit is used, s, what a second is in it, and its name
_UNITS = ((1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (0.0, 1e6, "µs"))


def time_axis(axes: Axes, time_s: np.ndarray) -> None:
    """Limits, from 0 to the last of some times, s, ticks and label; a second where that is 0."""
    length = float(time_s[-1])
    length = length if length > 0 else 1.0
    scale, unit = next((scale, unit) for least, scale, unit in _UNITS if length >= least)
    axes.set(xlabel=f"time ({unit})", xlim=(0.0, length))
    if unit != "s":
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda t, _: f"{scale * t:g}"))
