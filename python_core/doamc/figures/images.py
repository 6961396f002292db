"""Pictures of skies: panels with one scale, linear or logarithmic, beside each other and below each other."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import FigureBase

from doamc.views.palette import MAGNITUDE_MAP

#: decades below the peak that a logarithmic panel shows
DECADES = 3.0
#: inches of a panel
PANEL = 1.3
#: colours of what may be below zero
SIGNED_MAP = "RdBu_r"


def size_of(rows: int, columns: int) -> tuple[float, float]:
    """Width and height in inches of a figure of so many panels."""
    return 0.35 + PANEL * columns + 0.6, 0.25 + PANEL * rows


def draw_panels(
    figure: FigureBase,
    panels: Sequence[Sequence[np.ndarray | None]],  # rows of images (n, n)
    titles: Sequence[str],  # of the columns
    labels: Sequence[str],  # of the rows
    kinds: Sequence[str],  # of the rows: linear, log (of what is above a thousandth of the peak) or signed
) -> None:
    """Draw rows of images, each row with a scale and a colour bar of its own; None leaves a place empty."""
    plots = figure.subplots(len(panels), len(titles), squeeze=False)
    for i, (row, kind) in enumerate(zip(panels, kinds, strict=True)):
        top = max((float(np.abs(image).max()) for image in row if image is not None), default=0.0) or 1.0
        shown = None
        for axes, image in zip(plots[i], row, strict=True):
            axes.set(xticks=[], yticks=[])
            axes.grid(False)
            axes.spines[:].set_visible(False)
            if image is None:
                continue
            if kind == "log":
                values, low, high = np.log10(np.maximum(image / top, 10**-DECADES)), -DECADES, 0.0
            else:
                values, low, high = image, -top if kind == "signed" else 0.0, top
            colours = SIGNED_MAP if kind == "signed" else MAGNITUDE_MAP
            shown = axes.imshow(values, cmap=colours, vmin=low, vmax=high, origin="lower", interpolation="nearest")
        plots[i, 0].set_ylabel(labels[i])
        if shown is not None:
            figure.colorbar(shown, ax=list(plots[i]), aspect=15, label="log10 of peak" if kind == "log" else None)
    for axes, title in zip(plots[0], titles, strict=True):
        axes.set_title(title)
