"""The figure of ``doamc compare``: directions, hits, coupling and time of every method over the SNR."""

import math
from typing import TYPE_CHECKING, Any

from doamc.figures.bands import band_of
from doamc.figures.style import BAND, BOUND, curve_style, draw_figure, plain_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: key of a row, label of its axis
_PANELS = {
    "rmse_hit_deg": "RMSE of hits / degrees",
    "hits": "hits: all within 2 degrees",
    "coupling_gain_db": "gain of coupling over C = I / dB",
}
#: characters of a line of a method's name
_WIDE = 26


def plot_comparison(path: str, rows: list[dict[str, Any]], title: str) -> None:
    """Write the figure of rows of `compare`, in the format of the suffix of its path."""
    lines = sum(1 + _label(method).count("\n") for method in {r["method"] for r in rows})
    draw_figure(path, (7.2, max(5.2, 2.6 + 0.34 * lines)), lambda figure: draw_comparison(figure, rows, title))


def draw_comparison(figure: "Figure", rows: list[dict[str, Any]], title: str) -> None:
    """Four panels, the last of which is the legend too; a method without a value (None) has no mark there.

    Bands are 95 % intervals by the number of scenes.
    """
    methods = list(dict.fromkeys(r["method"] for r in rows))
    panels = figure.subplots(2, 2).ravel()
    for axes, (key, label) in zip(panels, _PANELS.items(), strict=False):
        for k, method in enumerate(methods):
            mine = [r for r in rows if r["method"] == method]
            value = [math.nan if r[key] is None else r[key] for r in mine]
            snr_db = [r["snr_db"] for r in mine]
            axes.plot(snr_db, value, **curve_style(k))
            if (band := band_of(key, mine)) is not None:
                axes.fill_between(snr_db, *band, color=curve_style(k)["color"], alpha=BAND, linewidth=0)
        axes.set(xlabel="SNR / dB", ylabel=label, xticks=sorted({r["snr_db"] for r in rows}))
    bound = {r["snr_db"]: r["bound_deg"] for r in rows if r["bound_deg"] is not None}
    panels[0].plot(list(bound), list(bound.values()), **BOUND)
    panels[0].legend(frameon=False)
    plain_log(panels[0])
    panels[1].set_ylim(-0.03, 1.03)
    _times(panels[3], rows, methods)
    figure.suptitle(title, fontsize=10)


def _times(axes: "Axes", rows: list[dict[str, Any]], methods: list[str]) -> None:
    """A method a line with its mark, from the fastest to the slowest estimate over the SNRs."""
    for k, method in enumerate(methods):
        ms = [r["ms"] for r in rows if r["method"] == method]
        axes.plot([min(ms), max(ms)], [k, k], **curve_style(k) | {"linestyle": "-"})
    labels = [_label(method) for method in methods]
    axes.set(yticks=range(len(methods)), yticklabels=labels, ylim=(len(methods) - 0.4, -0.6))
    axes.set_xlabel("time per estimate / ms")
    axes.tick_params(axis="y", length=0)
    plain_log(axes, "x")
    axes.grid(visible=False, axis="y")


def _label(method: str) -> str:
    """Name of a method; its options below where they are long, so that they leave room for the curves."""
    name, colon, options = method.partition(":")
    if len(method) <= _WIDE:
        return method
    lines = [""]
    for option in options.split(","):
        longer = f"{lines[-1]},{option}" if lines[-1] else option
        lines[-1:] = [longer] if len(longer) <= _WIDE else [f"{lines[-1]},", option]
    return "\n".join([name + colon, *(line for line in lines if line.strip(","))])
