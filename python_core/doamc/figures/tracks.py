"""Directions against time, with bars of one standard deviation, on the truth."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from doamc.angles import circle_deg
from doamc.figures.run import STRAY, Run
from doamc.figures.shown import shown
from doamc.figures.style import named
from doamc.figures.time_axis import time_axis
from doamc.views.palette import STRAY as STRAY_COLOUR
from doamc.views.palette import TRUTH, colour_of

#: more dots than this are drawn as one bitmap
MOST = 4000


def missing(run: Run) -> str | None:
    """Nothing: a run has estimates."""
    return None


def draw(figure: FigureBase, run: Run) -> list[Axes]:
    """One plot; an outlier does not set its scale."""
    axes, angles = figure.subplots(), shown(run)
    for k, track in enumerate(angles.truth_deg.T):
        axes.plot(run.time_s, track, color=TRUTH, linewidth=3.5, zorder=1, label=None if k else "truth")
    for number in run.points.numbers:
        p = run.points.of(number)
        colour = STRAY_COLOUR if number == STRAY else colour_of(number)
        label = "beyond the truth" if number == STRAY else f"source {number + 1}"
        angle = angles.points_deg[run.points.number == number]
        dots(axes, p.time_s, angle, colour, label)
        if number != STRAY:
            low, high = angle - p.std_deg, angle + p.std_deg
            axes.vlines(p.time_s, low, high, color=colour, alpha=0.45, linewidth=0.8, zorder=2,
                        rasterized=len(low) > MOST)  # fmt: skip
    axes.set_ylabel(angles.label)
    time_axis(axes, run.time_s)
    if run.heading_deg is not None:
        axes.yaxis.set_major_formatter(lambda value, _: f"{circle_deg(round(value, 6)):g}")
    fit(axes, angles.points_deg, angles.truth_deg, 2.0)
    if run.points.numbers:
        axes.legend(*named(axes), loc="best", ncols=2, markerscale=2)
    return [axes]


def dots(axes: Axes, x: np.ndarray, y: np.ndarray, colour: str, label: str | None = None) -> None:
    """A dot for each estimate; very many are drawn as one bitmap, so that a vector figure stays small."""
    axes.plot(x, y, ".", color=colour, markersize=3, label=label, zorder=3, rasterized=len(x) > MOST)


def fit(
    axes: Axes, values: np.ndarray, always: np.ndarray, least: float, outer: float = 0.5, margin: float = 0.15
) -> None:
    """Set vertical limits that leave out the few lowest and highest values, and write on the plot how many those are.

    margin: share of their distance that is added on both sides, `least` at least.
    """
    if values.size + always.size == 0:
        return
    low, high = np.percentile(values, [outer, 100.0 - outer]) if values.size else (np.inf, -np.inf)
    low, high = min([low, *always.flat]), max([high, *always.flat])
    added = max(least, margin * (high - low))
    axes.set_ylim(low - added, high + added)
    outside = int(((values < low - added) | (values > high + added)).sum())
    if outside:
        axes.annotate(f"{outside} beyond the frame", (1, 1), xycoords="axes fraction", ha="right", va="bottom",
                      color="#555555", fontsize=7)  # fmt: skip
