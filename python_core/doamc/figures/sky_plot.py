"""Directions of a run on the sky, with ellipses that hold 90 %, and elevations against time.

The zenith is in the middle and the horizon at the rim; azimuth by elevation where something is below the horizon.
"""

import math
from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from doamc.angles import wrap_deg
from doamc.figures.run import STRAY, Run
from doamc.figures.style import named
from doamc.figures.time_axis import time_axis
from doamc.figures.tracks import MOST, dots
from doamc.views.palette import STRAY as STRAY_COLOUR
from doamc.views.palette import TRUTH, colour_of
from doamc.views.sky_ellipse import below_horizon, sky_ellipse, unrolled

#: readings of which ellipses are drawn, evenly over the run; the newest is one of them
ELLIPSES = 6


def missing(run: Run) -> str | None:
    """Elevations, where no estimate has one."""
    if run.elevated:
        return None
    return f"expected elevations in the log, found none; {run.readings[-1].array} has none, or its method gives none"


def draw(figure: FigureBase, run: Run) -> list[Axes]:
    """Sky and elevations."""
    flat = below_horizon(run.points.elevation_deg)
    above = run.true_elevation_deg()
    parts = figure.subfigures(1, 2, width_ratios=[1.25, 1] if flat else [1, 1.25], squeeze=False)[0]
    sky = parts[0].subplots(subplot_kw=None if flat else {"projection": "polar"})
    _frame(sky, run, flat)
    time_axes = parts[1].subplots()
    for k, track in enumerate(run.true_azimuth_deg().T if above is not None else ()):
        if above is not None:
            for x, y in _pieces(_shown(run, track, run.heading_deg), above[:, k], flat):
                sky.plot(x, y, color=TRUTH, linewidth=3.5, zorder=1)
            time_axes.plot(run.time_s, above[:, k], color=TRUTH, linewidth=3.5, zorder=1, label=None if k else "truth")
    for number in run.points.numbers:
        p = run.points.of(number)
        colour = STRAY_COLOUR if number == STRAY else colour_of(number)
        angle = _shown(run, p.azimuth_deg, p.heading_deg)
        dots(sky, *_place(_turned(run, angle) if flat else angle, p.elevation_deg, flat), colour)
        label = "beyond the truth" if number == STRAY else f"source {number + 1}"
        dots(time_axes, p.time_s, p.elevation_deg, colour, label)
        if number != STRAY:
            low, high = p.elevation_deg - p.elevation_std_deg, p.elevation_deg + p.elevation_std_deg
            time_axes.vlines(p.time_s, low, high, color=colour, alpha=0.45, linewidth=0.8, zorder=2,
                             rasterized=len(low) > MOST)  # fmt: skip
    _draw_ellipses(sky, run, flat)
    _draw_modes(sky, run, flat)
    time_axes.set_ylabel("elevation (deg)")
    time_axis(time_axes, run.time_s)
    low, high = time_axes.get_ylim()
    time_axes.set_ylim(max(low, -92.0), min(high, 92.0))
    handles, labels = named(time_axes)
    if any(len(r.modes) > 1 for r in run.readings[-1:]):
        handles.append(Line2D([], [], marker="o", linestyle="", markerfacecolor="none", markeredgecolor="black"))
        labels.append("other places")
    if handles:
        time_axes.legend(handles, labels, loc="best", ncols=2, markerscale=1.5)
    return [sky, time_axes]


def _frame(axes: Axes, run: Run, flat: bool) -> None:
    """Axes of a panorama, or the circle of the sky: bearings with north up, or azimuths with +x to the right."""
    bearings = run.heading_deg is not None
    if flat:
        axes.set(xlim=(0, 360) if bearings else (-180, 180), ylim=(-90, 90), ylabel="elevation (deg)")
        axes.set_xlabel("bearing from true north (deg)" if bearings else "azimuth from +x (deg)")
        axes.set_xticks(np.arange(0, 361, 60) if bearings else np.arange(-180, 181, 60))
        axes.set_yticks(np.arange(-90, 91, 30))
        axes.axhline(0, color="#555555", linewidth=0.6)
        return
    axes.set_theta_zero_location("N" if bearings else "E")  # type: ignore[attr-defined]
    axes.set_theta_direction(-1 if bearings else 1)  # type: ignore[attr-defined]
    axes.set_rlim(0, 90)  # type: ignore[attr-defined]
    axes.set_rgrids([30, 60, 90], ["60°", "30°", ""], angle=75 if bearings else 15)  # type: ignore[attr-defined]
    ticks = np.arange(0, 360, 45)
    names = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"] if bearings else [f"{t}°" for t in ticks]
    axes.set_thetagrids(ticks, names)  # type: ignore[attr-defined]
    axes.spines["polar"].set_visible(True)
    axes.spines["polar"].set_linewidth(0.8)


def _shown(
    run: Run, azimuth_deg: NDArray[np.float64], heading_deg: NDArray[np.float64] | float | None
) -> NDArray[np.float64]:
    """Angles as the plot has them."""
    return azimuth_deg if run.heading_deg is None or heading_deg is None else heading_deg - azimuth_deg


def _turned(run: Run, angle_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Within the axes of a panorama."""
    return wrap_deg(angle_deg, 0.0 if run.heading_deg is not None else -180.0)


def _place(
    angle_deg: NDArray[np.float64], elevation_deg: NDArray[np.float64], flat: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates in the axes of directions."""
    if not flat:
        return np.radians(angle_deg), 90.0 - elevation_deg
    return angle_deg, elevation_deg


def _pieces(
    angle_deg: NDArray[np.float64], elevation_deg: NDArray[np.float64], flat: bool
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Coordinates of a line; in a panorama as often as turns are in sight."""
    for turn in (-360.0, 0.0, 360.0) if flat else (0.0,):
        yield _place(angle_deg + turn, elevation_deg, flat)


def _draw_ellipses(axes: Axes, run: Run, flat: bool) -> None:
    """Those of some readings; of the newest with a line."""
    p = run.points
    times = np.unique(p.time_s)
    chosen = times[np.unique(np.linspace(len(times) - 1, 0, ELLIPSES).round().astype(int))] if len(times) else times
    for k in np.flatnonzero(np.isin(p.time_s, chosen) & np.isfinite(p.elevation_deg)):
        curve = sky_ellipse(
            p.azimuth_deg[k], p.elevation_deg[k], p.std_deg[k], p.elevation_std_deg[k], p.correlation[k]
        )
        if curve is None:
            continue
        colour = STRAY_COLOUR if p.number[k] == STRAY else colour_of(int(p.number[k]))
        newest = p.time_s[k] == times[-1]
        closed = unrolled(curve, p.azimuth_deg[k]) if flat else curve
        for x, y in _pieces(_shown(run, closed[:, 0], p.heading_deg[k]), closed[:, 1], flat):
            axes.fill(x, y, facecolor=colour, alpha=0.2, linewidth=0, zorder=2)
            if newest:  # not along the edge of the plot
                axes.plot(x[: len(curve)], y[: len(curve)], color=colour, linewidth=1.0, zorder=3)


def _draw_modes(axes: Axes, run: Run, flat: bool) -> None:
    """Rings where else the directions of the newest reading may be, the larger the more probable."""
    heading = None if run.heading_deg is None else float(run.heading_deg[-1])
    for mode in run.readings[-1].modes[1:]:
        size = 3.0 + 8.0 * math.sqrt(max(0.0, np.nan_to_num(mode.share)))
        angle = _shown(run, mode.azimuth_deg, heading)
        x, y = _place(_turned(run, angle) if flat else angle, mode.elevation_deg, flat)
        axes.plot(x, y, "o", markerfacecolor="none", markeredgecolor="black", markeredgewidth=0.8, markersize=size)
