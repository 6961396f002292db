"""Errors of the directions against truth: over time beside what the error bars promise, and their distribution."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from doamc.figures.run import STRAY, Run
from doamc.figures.style import BAND, named
from doamc.figures.tracks import dots, fit, limits_of
from doamc.views.palette import colour_of


def missing(run: Run) -> str | None:
    """A truth, where none is known, or sources that it goes with."""
    if not run.truth.known:
        return "expected a truth to take errors against, found none; add --truth FILE"
    return None if np.isfinite(run.points.error_deg).any() else "expected sources to take errors of, found none"


def draw(figure: FigureBase, run: Run) -> list[Axes]:
    """Two plots."""
    left, right = figure.subplots(1, 2, width_ratios=[1.5, 1])
    sources = [n for n in run.points.numbers if n != STRAY]
    sense = 1.0 if run.heading_deg is None else -1.0  # of bearings, which run against azimuths
    for number in sources:
        p, colour = run.points.of(number), colour_of(number)
        dots(left, p.time_s, sense * p.error_deg, colour)
        known = np.isfinite(p.std_deg)
        if known.any():
            left.fill_between(
                p.time_s[known], -p.std_deg[known], p.std_deg[known], color=colour, alpha=BAND, linewidth=0,
                step="mid", zorder=2,
            )  # fmt: skip
        size = np.sort(np.abs(p.error_deg))
        share = np.arange(1, len(size) + 1) / len(size)
        label = f"source {number + 1}: {words(p.error_deg, p.std_deg)}"
        right.step(size, share, where="post", color=colour, label=label)
    left.axhline(0, color="#555555", linewidth=0.6)
    # twice the middle 90 per cent to either side: all of Gaussian errors, few of gross ones
    error = sense * run.points.error_deg[np.isfinite(run.points.error_deg)]
    fit(left, error, np.zeros(1), 0.02, outer=5.0, margin=1.0)
    left.set(xlabel="time (s)", ylabel="estimate - truth (deg)", xlim=limits_of(run.time_s))
    right.set(xlabel="|estimate - truth| (deg)", ylabel="share of estimates", ylim=(0, 1.02))
    positive = np.abs(run.points.error_deg[np.abs(run.points.error_deg) > 0])
    if positive.size and positive.max() > 30 * np.median(positive):
        right.set_xscale("log")
    else:
        right.set_xlim(left=0)
    figure.legend(*named(right), loc="outside lower center", ncols=2)
    return [left, right]


def rms(error_deg: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(error_deg))))


def covered(error_deg: np.ndarray, std_deg: np.ndarray) -> float:
    """Share of the errors within one standard deviation, of those that have one; NaN when none has."""
    known = np.isfinite(std_deg)
    return float(np.mean(np.abs(error_deg[known]) <= std_deg[known])) if known.any() else float("nan")


def words(error_deg: np.ndarray, std_deg: np.ndarray) -> str:
    """Root mean square and coverage (0.68 where the error bars are right) for the legend."""
    share = covered(error_deg, std_deg)
    return f"RMS {rms(error_deg):.2g}°" + ("" if share != share else f", {share:.2f} within 1 sd")
