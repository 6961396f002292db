"""Latency of a run: over time, and the distribution of each stage."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from doamc.figures.run import Run
from doamc.figures.style import plain_log
from doamc.figures.time_axis import time_axis
from doamc.figures.tracks import dots
from doamc.views.health import STAGES
from doamc.views.palette import COLOURS

_LINES = {"buffer": ":", "inference": "--", "total": "-"}


def missing(run: Run) -> str | None:
    """Latencies, where no estimate tells any."""
    told = any(v == v for r in run.readings for v in r.latency_ms.values())
    return None if told else "expected latencies in the log, found none"


def draw(figure: FigureBase, run: Run) -> list[Axes]:
    """Two plots."""
    told = {stage: np.array([r.latency_ms[stage] for r in run.readings]) for stage in STAGES}
    left, right = figure.subplots(1, 2, width_ratios=[1.5, 1])
    for colour, (stage, values) in zip(COLOURS, told.items(), strict=False):
        known = np.isfinite(values)
        if not known.any():
            continue
        dots(left, run.time_s[known], values[known], colour)
        size = np.sort(values[known])
        middle, high = np.percentile(size, [50, 95])
        right.step(size, np.arange(1, len(size) + 1) / len(size), where="post", color=colour, linestyle=_LINES[stage],
                   label=f"{stage}: median {middle:.3g}, 95 % {high:.3g} ms")  # fmt: skip
    left.set_ylabel("latency (ms)")
    time_axis(left, run.time_s)
    right.set(xlabel="latency (ms)", ylabel="share of estimates", ylim=(0, 1.02))
    plain_log(left)
    plain_log(right, "x")
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=7.5)
    counts = f"{len(run.readings)} estimates, {run.lost} lost, {max(r.dropped for r in run.readings)} batches dropped"
    left.annotate(counts, (1, 1), xycoords="axes fraction", ha="right", va="bottom", fontsize=7, color="#555555")
    return [left, right]
