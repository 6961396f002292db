"""What figures share: fit for print, told apart without colour, written whole or not at all."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doamc.views.palette import COLOURS as PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")
#: width in inches of a printed page of two columns
PAGE = 7.16
#: curves that a legend names
NAMED = 12
#: how opaque a band is
BAND = 0.2
#: one more than views use; black is the bound's
COLOURS = (*PALETTE, "#6B6B6B")
MARKERS, LINES = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "h"), ("-", "--", "-.")
BOUND = {"color": "black", "linestyle": (0, (5, 2)), "linewidth": 1.4, "zorder": 3, "label": "Cramér-Rao bound"}
_STYLE: dict[Any, Any] = {
    "font.size": 9, "axes.labelsize": 9, "axes.titlesize": 9, "legend.frameon": False,
    "legend.fontsize": 8, "xtick.labelsize": 8, "ytick.labelsize": 8,
    "lines.linewidth": 1.2, "lines.markersize": 5, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.alpha": 0.3, "svg.fonttype": "none", "svg.hashsalt": "doamc", "pdf.fonttype": 42,
}  # fmt: skip


def check_figure(path: str) -> None:
    """Raise RecordingError unless a figure can be written at this path: its folder, and an ending of `FORMATS`."""
    from doamc.files.atomic import check_output

    check_output(path, *(f".{kind}" for kind in FORMATS))


def curve_style(k: int) -> dict[str, Any]:
    """Colour, marker and line of the k-th curve; the first 77 differ."""
    line = LINES[k // len(COLOURS) % len(LINES)]
    colour, marker = COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)]
    return {"color": colour, "marker": marker, "linestyle": line, "markeredgecolor": "white", "markeredgewidth": 0.4}


def draw_figure(path: str, size_inches: tuple[float, float], draw: Callable[["Figure"], None]) -> None:
    """Make a figure, let ``draw`` fill it, and write it in the format of its suffix, 200 dots an inch."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from doamc.files.atomic import whole_file

    kind = Path(path).suffix.lower().removeprefix(".")
    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=size_inches, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        with whole_file(path) as file:
            figure.savefig(file, format=kind, dpi=200, metadata=undated)


def plain_log(axes: "Axes", axis: str = "y") -> None:
    """A logarithmic axis with ticks 1, 2, 5, ... (1, 10, ... on a long one) written as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    getattr(axes, f"set_{axis}scale")("log")
    one = getattr(axes, f"{axis}axis")
    low, high = one.get_view_interval()
    one.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 300 * low else (1.0,)))
    one.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    one.set_minor_formatter(NullFormatter())


def named(axes: "Axes") -> tuple[list[Any], list[str]]:
    """Handles and labels of the curves for a legend: a legend of more than `NAMED` leaves no room for the plot."""
    handles, labels = axes.get_legend_handles_labels()
    left_out = len(labels) - NAMED
    told = [f"{labels[NAMED - 1]}; {left_out} more"] if left_out > 0 else []
    return handles[:NAMED], labels[: NAMED - len(told)] + told


def letter(plots: Sequence["Axes"]) -> None:
    """(a), (b), ... above the left corners of the plots of a figure, before a title that is there; none for one."""
    for axes, name in zip(plots, "abcdefghijklmnopqrstuvwxyz" if len(plots) > 1 else "", strict=False):
        title = axes.get_title()
        axes.set_title("")
        axes.set_title(f"({name}) {title}".rstrip(), loc="left", fontsize=9)
