"""Errors against elevation of ``doamc compare``: a figure, or a table for spreadsheets."""

import csv
import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doamc.figures.style import BOUND, curve_style, draw_figure, plain_log

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from doamc.spec import ArraySpec

#: errors and bounds of a panel, label of its axis
_PANELS = (
    ("rmse_hit_deg", "bound_deg", "RMSE of hits / degrees"),
    ("rmse_elevation_deg", "bound_elevation_deg", "of elevation / degrees"),
    ("hits", None, "sources within 2 degrees"),
)
_LEAST = 5  #: sources of a bin that a mark is made for


def check_elevation_output(path: str, spec: "ArraySpec") -> None:
    """Raise SpecificationError for an array without elevations, RecordingError where nothing can be written."""
    from doamc.errors import SpecificationError
    from doamc.figures.style import FORMATS
    from doamc.files.atomic import check_output

    if not spec.elevated:
        raise SpecificationError(
            f"--elevation needs an array with elevation_deg in [sector], found {spec.name} without; leave it out"
        )
    check_output(path, ".csv", *(f".{kind}" for kind in FORMATS))


def write_elevation(path: str, rows: list[dict[str, Any]], title: str) -> None:
    """Write bins of the rows of `compare` by the suffix of the path: a line a method, SNR and bin, or a figure."""
    if Path(path).suffix.lower() != ".csv":
        levels = len({r["snr_db"] for r in rows})
        draw_figure(path, (7.2, 0.6 + 2.5 * levels), lambda figure: draw_elevation(figure, rows, title))
        return
    from doamc.files.atomic import whole_file
    from doamc.trials.by_elevation import COLUMNS

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["method", "snr_db", *COLUMNS])
    for r in rows:
        table.writerows(
            [r["method"], r["snr_db"], *(part[key] for key in COLUMNS)] for part in r.get("by_elevation", ())
        )
    with whole_file(path) as file:
        file.write(text.getvalue().encode())


def draw_elevation(figure: "Figure", rows: list[dict[str, Any]], title: str) -> None:
    """A line of panels for every SNR; bins of few sources have no mark."""
    methods = list(dict.fromkeys(r["method"] for r in rows))
    levels = sorted({r["snr_db"] for r in rows})
    panels = figure.subplots(len(levels), len(_PANELS), squeeze=False, sharex=True)
    for line, level in zip(panels, levels, strict=True):
        for axes, (key, bound, label) in zip(line, _PANELS, strict=True):
            for k, method in enumerate(methods):
                mine = [r for r in rows if r["method"] == method and r["snr_db"] == level]
                if not mine:  # a task that failed
                    continue
                bins = mine[0].get("by_elevation", [])
                middle = [0.5 * (b["low_deg"] + b["high_deg"]) for b in bins]
                axes.plot(middle, [_value(b, key) for b in bins], **curve_style(k), label=method)
                if bound is not None and method == methods[0]:  # the same for all
                    axes.plot(middle, [_value(b, bound) for b in bins], **BOUND)
            axes.set_ylabel(label)
            if bound is None:
                axes.set_ylim(-0.03, 1.03)
            else:
                plain_log(axes)
        line[0].set_title(f"{level:g} dB", loc="left", fontsize=9)
    for axes in panels[-1]:
        axes.set_xlabel("true elevation / degrees")
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    figure.suptitle(title, fontsize=10)


def _value(part: dict[str, Any], key: str) -> float:
    value = part[key]
    return math.nan if value is None or part["sources"] < _LEAST else float(value)
