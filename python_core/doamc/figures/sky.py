"""The sky as an array sees it: image, standard deviation, and residual, side by side."""

from typing import TYPE_CHECKING

import numpy as np

from doamc.figures.style import PAGE, draw_figure, letter
from doamc.imaging.array_image import ArrayImage
from doamc.views.palette import MAGNITUDE_MAP

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: how far below the peak images are drawn, dB
_DEPTH_DB = 40.0


def draw_sky(path: str, found: ArrayImage, array: str) -> None:
    """Write a figure of an image; see `figures.style.draw_figure`."""
    draw_figure(path, (PAGE, 3.0), lambda figure: _draw(figure, found, array))


def _draw(figure: "Figure", found: ArrayImage, array: str) -> None:
    plots = list(figure.subplots(1, 3))
    outside = ~found.grid.inside
    peak = found.peak if found.peak > 0 else 1.0
    db = 10 * np.log10(np.maximum(found.image, 10 ** (-_DEPTH_DB / 10) * peak) / peak)
    limit = float(np.abs(found.residual).max()) or 1.0
    spread = float(found.std.max()) or 1.0
    panels = (
        ("image (dB below the peak)", db, MAGNITUDE_MAP, -_DEPTH_DB, 0.0),
        ("standard deviation", found.std, MAGNITUDE_MAP, 0.0, spread),
        ("residual", found.residual, "RdBu_r", -limit, limit),
    )
    c, r = found.grid.columns, found.grid.rows
    half = (c[1] - c[0]) / 2, (r[1] - r[0]) / 2
    extent = (c[0] - half[0], c[-1] + half[0], r[0] - half[1], r[-1] + half[1])
    for axes, (title, values, colours, low, high) in zip(plots, panels, strict=True):
        shown = axes.imshow(
            np.ma.masked_where(outside, values), cmap=colours, vmin=low, vmax=high, origin="lower", extent=extent,
            interpolation="nearest", aspect="equal" if found.grid.kind == "orthographic" else "auto",
        )  # fmt: skip
        axes.set(title=title)
        axes.grid(False)
        figure.colorbar(shown, ax=axes, location="bottom", aspect=25, shrink=0.9)
        _name_axes(axes, found, axes is plots[0])
    places = found.grid.place(np.array([s.direction for s in found.sources]).reshape(-1, 3))
    for u, v in places[np.isfinite(places).all(1)]:
        plots[0].plot(u, v, marker="+", color="white", markersize=9, markeredgewidth=1.0)
    letter(plots)
    taken = "left in" if found.observed.coupling is None else "taken out"
    figure.suptitle(f"{array}, coupling {taken}, dynamic range {found.dynamic_range_db:.1f} dB", fontsize=9)


def _name_axes(axes: "Axes", found: ArrayImage, first: bool) -> None:
    if found.grid.kind == "panorama":
        names = "azimuth (deg)", "elevation (deg)"
    elif abs(found.grid.centre_deg[1]) == 90:
        names = "l, towards +x", "m, towards +y"
    else:
        names = "u, along azimuth", "v, along elevation"
    axes.set(xlabel=names[0], ylabel=names[1] if first else "")
