"""Coupling matrix of a run: magnitude and phase of its mean, beside the truth where known, and errors over time."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import FigureBase

from doamc.estimates.truth import coupling_error_db
from doamc.figures.run import Run
from doamc.figures.time_axis import time_axis
from doamc.figures.tracks import dots
from doamc.views.palette import COLOURS, FLOOR_DB, MAGNITUDE_MAP, PHASE_MAP, magnitude_db, phase_deg


def missing(run: Run) -> str | None:
    """A coupling matrix, where no estimate has one."""
    if any(r.coupling is not None for r in run.readings):
        return None
    return f"expected a coupling matrix in the log, found none; {run.readings[-1].method} estimates none"


def draw(figure: FigureBase, run: Run) -> list[Axes]:
    """Maps, and a plot of the error or of the scatter."""
    time_s, matrices = run.couplings()
    mean, truth = matrices.mean(0), run.truth.coupling
    shown = [("mean", mean)] if truth is None or truth.shape != mean.shape else [("mean", mean), ("true", truth)]
    parts = figure.subfigures(1, 3, width_ratios=[1, 1, 0.9 if len(shown) > 1 else 1.5], squeeze=False)[0]
    scales = (("|C| (dB)", MAGNITUDE_MAP, Normalize(FLOOR_DB, 0)), ("arg C (deg)", PHASE_MAP, Normalize(-180, 180)))
    plots = []
    for part, (name, colours, norm) in enumerate(scales):
        row = parts[part].subplots(1, len(shown), squeeze=False)[0]
        for axes, (kind, matrix) in zip(row, shown, strict=True):
            values = phase_deg(matrix) if part else magnitude_db(matrix)
            axes.imshow(values, cmap=colours, norm=norm, interpolation="nearest")
            ticks = [0, len(matrix) - 1]
            axes.set(xticks=ticks, yticks=ticks if axes is row[0] else [], title=kind, xlabel="element")
            axes.grid(False)
            axes.spines[:].set_visible(False)
        row[0].set_ylabel("element")
        steps = [-30, -20, -10, 0] if part == 0 else [-180, -90, 0, 90, 180]
        parts[part].colorbar(ScalarMappable(norm, colours), ax=list(row), location="bottom", label=name, ticks=steps,
                             aspect=25, shrink=0.9)  # fmt: skip
        plots.append(row[0])
    time_axes = parts[2].subplots()
    _draw_time(time_axes, run, time_s, matrices, mean)
    parts[2].legend(loc="outside lower center", ncols=2 if len(shown) == 1 else 1, markerscale=2, fontsize=6)
    return [*plots, time_axes]


def _draw_time(axes: Axes, run: Run, time_s: np.ndarray, matrices: np.ndarray, mean: np.ndarray) -> None:
    """Error against truth; without truth the distance from the mean."""
    error = run.coupling_errors_db()
    known = bool(np.isfinite(error).any())
    if not known:
        error = np.array([coupling_error_db(c, mean) for c in matrices])
    dots(axes, time_s, error, COLOURS[0], "estimate")
    middle = float(np.median(error))
    axes.axhline(middle, color=COLOURS[0], label=f"median {middle:.1f} dB")
    if known and run.truth.coupling is not None:
        ignored = coupling_error_db(np.eye(len(mean), dtype=complex), run.truth.coupling)
        axes.axhline(ignored, color=COLOURS[1], linestyle="--", label=f"coupling ignored {ignored:.1f} dB")
    what = "error / |C|² (dB)" if known else "distance from the mean / |C|² (dB)"
    axes.set_ylabel(what)
    time_axis(axes, run.time_s)
