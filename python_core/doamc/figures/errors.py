"""Errors of the directions against truth: over time beside what the error bars promise, and their distribution."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from doamc.figures.run import STRAY, Points, Run
from doamc.figures.style import BAND, named
from doamc.figures.time_axis import time_axis
from doamc.figures.tracks import dots, fit
from doamc.views.palette import colour_of
from doamc.views.sky_ellipse import ELLIPSE_90


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
    on_sky = on_the_sky(run.points)
    errors = run.points.distance_deg if on_sky else sense * run.points.error_deg
    for number in sources:
        p, colour = run.points.of(number), colour_of(number)
        error = errors[run.points.number == number]
        dots(left, p.time_s, error, colour)
        promised = expected_deg(p) if on_sky else p.std_deg
        known = np.isfinite(promised)
        if known.any():
            low = np.zeros(int(known.sum())) if on_sky else -promised[known]
            left.fill_between(
                p.time_s[known], low, promised[known], color=colour, alpha=BAND, linewidth=0, step="mid", zorder=2
            )
        size = np.sort(np.abs(error))
        share = np.arange(1, len(size) + 1) / len(size)
        told = sky_words(p) if on_sky else words(p.error_deg, p.std_deg)
        right.step(size, share, where="post", color=colour, label=f"source {number + 1}: {told}")
    left.axhline(0, color="#555555", linewidth=0.6)
    # twice the middle 90 per cent to either side: all of Gaussian errors, few of gross ones
    fit(left, errors[np.isfinite(errors)], np.zeros(1), 0.02, outer=5.0, margin=1.0)
    if on_sky:
        left.set_ylim(bottom=0.0)
    what = "angle on the sky (deg)" if on_sky else "estimate - truth (deg)"
    left.set_ylabel(what)
    time_axis(left, run.time_s)
    right.set(xlabel=what if on_sky else "|estimate - truth| (deg)", ylabel="share of estimates", ylim=(0, 1.02))
    positive = np.abs(errors[np.abs(errors) > 0])
    if positive.size and positive.max() > 30 * np.median(positive):
        right.set_xscale("log")
    else:
        right.set_xlim(left=0)
    figure.legend(*named(right), loc="outside lower center", ncols=2)
    return [left, right]


def on_the_sky(points: Points) -> bool:
    """Whether errors are angles on the sky: every source with a truth has an elevation, and so has its truth."""
    known = np.isfinite(points.error_deg)
    return bool(known.any() and np.isfinite(points.distance_deg[known]).all())


def expected_deg(points: Points) -> np.ndarray:
    """Root mean square of the angle on the sky that the error bars promise, (n,); NaN where there are none."""
    across = points.std_deg * np.cos(np.radians(points.elevation_deg))
    return np.hypot(across, points.elevation_std_deg)


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


def sky_words(points: Points) -> str:
    """Root mean square of the angle on the sky, and the share of truths in 90 % ellipses, for the legend."""
    a, e, tied = (
        points.error_deg / points.std_deg,
        points.elevation_error_deg / points.elevation_std_deg,
        points.correlation,
    )
    squared = (a**2 + e**2 - 2 * tied * a * e) / np.maximum(1 - tied**2, 1e-6)
    known = np.isfinite(squared)
    inside = f", {np.mean(squared[known] <= ELLIPSE_90**2):.2f} in 90 % ellipses" if known.any() else ""
    return f"RMS {rms(points.distance_deg):.2g}°{inside}"
