"""How right a posterior is: ranks, coverage, TARP and sharpness, a row of plots for each case."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from doamc.figures.style import BAND, COLOURS, PAGE, letter
from doamc.trials.diagnosis import LEVELS, group_of
from doamc.trials.uniformity import PLACES, band_of

ROW, HEAD = 1.55, 0.75  #: heights in inches
#: colours of the groups of quantities
SHADES = {"azimuths": COLOURS[0], "powers": COLOURS[1], "noise": COLOURS[3], "coupling": COLOURS[2],
          "heights": COLOURS[4]}  # fmt: skip
_EDGES = np.arange(PLACES + 1) / PLACES


def size_of(diagnosis: dict[str, Any]) -> tuple[float, float]:
    """Width and height in inches."""
    return PAGE, HEAD + ROW * len(diagnosis["cases"])


def draw(figure: Figure, diagnosis: dict[str, Any]) -> None:
    """Draw what `doamc.trials.diagnosis` says of each case."""
    cases = diagnosis["cases"]
    plots = figure.subplots(len(cases), 4, squeeze=False)
    for (ranks, coverage, tarp, sharp), case in zip(plots, cases, strict=True):
        for name, told in case["quantities"].items():
            _difference(ranks, told["counts"], SHADES[group_of(name)], 0.8)
        _band(ranks, case["scenes"])
        ranks.set_ylabel(f"P = {case['sources']}, L = {case['snapshots']}\nECDF - rank", fontsize=7)
        _coverage(coverage, case)
        _difference(tarp, case["tarp"]["counts"], "black", 1.2)
        _band(tarp, case["scenes"])
        _sharpness(sharp, case)
    titles = ("ranks of the truth", "coverage - level", "TARP", "sharpness")
    for axes, title in zip(plots[0], titles, strict=True):
        axes.set_title(title)
    for axes, label in zip(plots[-1], ("rank", "level", "share nearer", "ratio, of hits"), strict=True):
        axes.set_xlabel(label)
    told = dict.fromkeys(group_of(name) for case in cases for name in case["quantities"])
    handles = [plots[0, 0].plot([], [], color=SHADES[group], label=group)[0] for group in told]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    figure.suptitle(f"{diagnosis['array']}, {diagnosis['method']}: {cases[0]['scenes']} scenes a row", fontsize=9)
    letter([axes for row in plots for axes in row] if len(cases) == 1 else [])


def _difference(axes: Axes, counts: list[int], colour: str, width: float) -> None:
    """How far the empirical distribution function lies above that of uniform numbers."""
    share = np.concatenate([[0], np.cumsum(counts)]) / sum(counts)
    axes.plot(_EDGES, share - _EDGES, color=colour, linewidth=width)


def _band(axes: Axes, scenes: int) -> None:
    """Where uniform ranks stay throughout, 95 times of 100."""
    band, inner = band_of(scenes), _EDGES[1:-1]
    axes.fill_between(inner, band.low - inner, band.high - inner, color="black", alpha=BAND / 2, linewidth=0, zorder=0)
    axes.set(xlim=(0, 1))


def _coverage(axes: Axes, case: dict[str, Any]) -> None:
    """Shares held by intervals less what they should be, with their 95 % intervals."""
    for k, (group, rows) in enumerate(case["coverage"].items()):
        value, low, high = np.array(rows).T
        place = np.arange(len(LEVELS)) + 0.16 * (k - (len(case["coverage"]) - 1) / 2)
        axes.vlines(place, low - LEVELS, high - LEVELS, color=SHADES[group], linewidth=0.8)
        axes.plot(place, value - LEVELS, ".", color=SHADES[group], markersize=4)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.axhspan(-0.02, 0.02, color="black", alpha=BAND / 2, linewidth=0, zorder=0)
    axes.set(xticks=range(len(LEVELS)), xticklabels=[f"{level:.0%}" for level in LEVELS])
    widest = max(0.05, 1.1 * max(abs(end - level) for rows in case["coverage"].values()
                                 for row, level in zip(rows, LEVELS, strict=True) for end in row[1:]))  # fmt: skip
    axes.set_ylim(-widest, widest)


def _sharpness(axes: Axes, case: dict[str, Any]) -> None:
    """Spread (10 to 90 %) and median of published deviations over what they may be, and the error of hits over them."""
    sharp, names = case["sharpness"], ("std / CRB", "std / long chains", "RMSE / std")
    for k, key in enumerate(("std_over_bound", "std_over_limit")):
        if sharp[key] is not None:
            low, middle, high = sharp[key]
            axes.plot([low, high], [k, k], color=COLOURS[0], linewidth=3, alpha=0.4, solid_capstyle="butt")
            axes.plot([middle], [k], "|", color=COLOURS[0], markersize=10)
    if sharp["rms_std_deg"]:
        axes.plot([case["rmse_of_hits_deg"] / sharp["rms_std_deg"]], [2], "o", color=COLOURS[1], markersize=4)
    axes.axvline(1, color="black", linewidth=0.6)
    widest = max(
        [2.0, *(1.1 * sharp[key][2] for key in ("std_over_bound", "std_over_limit") if sharp[key] is not None)]
    )
    axes.set(xlim=(0, widest), yticks=range(3), yticklabels=names, ylim=(2.9, -0.6))
    axes.tick_params(axis="y", length=0, labelsize=6)
    axes.annotate(f"hits {case['hits'][0]:.2f}", (0.98, 0.04), xycoords="axes fraction", ha="right", fontsize=7)
