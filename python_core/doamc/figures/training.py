"""Training curves: loss and rate over the steps, and whatever was measured on validation data."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from doamc.figures.style import COLOURS, PAGE, curve_style, letter, plain_log

_HEAD = ("schema", "kind", "array", "step", "minutes", "loss", "rate")
#: labels of what tasks measure on validation data; others are labelled by their name
LABELS = {
    "validation": "validation", "validation_db": "excess error, net (dB)", "start_db": "excess error, start (dB)",
    "hit": "hits within 2 deg", "limit": "hits, Bayes limit", "reconstruction": "mean squared error",
}  # fmt: skip


#: inches
SIZE = (PAGE, 2.5)


def draw(figure: Figure, lines: list[dict[str, Any]]) -> None:
    """Draw the lines of a log (see `read_training`): losses; rate; what else was measured on validation data."""
    names = [k for k in dict.fromkeys(k for line in lines for k in line) if k not in _HEAD]
    others = [n for n in names if n != "validation"]
    losses, rate, *rest = plots = list(figure.subplots(1, 2 + bool(others)))
    step = np.array([line["step"] for line in lines])
    loss = np.array([line["loss"] for line in lines], dtype=float)
    losses.plot(step, loss, color=COLOURS[0], label="training, running mean")
    rate.plot(step, [line["rate"] for line in lines], color=COLOURS[0])
    for k, name in enumerate(names, 1):
        measured = np.array([(line["step"], line[name]) for line in lines if name in line], dtype=float)
        axes = losses if name == "validation" else rest[0]
        axes.plot(*measured.T, **curve_style(k) | {"label": LABELS.get(name, name)})
    told = loss[np.isfinite(loss)]  # a training of few steps has no running mean yet
    if told.size and told.min() > 0 and told.max() > 5 * told.min():
        plain_log(losses)
    losses.set_ylabel("loss")
    rate.set_ylabel("learning rate")
    for axes in rest:
        unit = "dB" if all(n.endswith("_db") for n in others) else "share" if "hit" in others else "figure"
        axes.set_ylabel(f"on validation data ({unit})")
    for axes in plots:
        axes.set_xlabel("step")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    labelled = [part for axes in plots for part in zip(*axes.get_legend_handles_labels(), strict=True)]
    figure.legend(*zip(*labelled, strict=True), loc="outside lower center", ncols=4)
    what = f"{lines[-1]['kind']} net for {lines[-1]['array']}, {lines[-1]['minutes']:.3g} min"
    losses.annotate(what, (1, 1), va="bottom", xycoords="axes fraction", ha="right", fontsize=7, color="#555555")
    letter(plots)
