"""The demo's picture: bearing tracks with error bars against truth, the coupling matrix, and constellations."""

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import numpy as np

from doamc.angles import wrap_deg
from doamc.estimates.truth import coupling_error_db, coupling_matrix, message_time
from doamc.files.atomic import whole_file
from doamc.views.palette import COLOURS, FLOOR_DB, STRAY, TRUTH

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import FigureBase

if TYPE_CHECKING:
    from scripts.demo_run import Watch

BARS = 30
STYLE = {
    "font.size": 11, "axes.titlesize": 12, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#555555", "axes.grid": True,
    "grid.color": "#E4E4E4", "grid.linewidth": 0.8, "axes.axisbelow": True, "legend.frameon": False,
}  # fmt: skip


def draw(watch: "Watch", path: Path) -> None:
    """Write the picture of a run as PNG, whole or not at all. Raises RecordingError when it cannot be written."""
    with plt.rc_context(STYLE):
        shows = bool(watch.waveforms)
        figure = plt.figure(figsize=(13, 7.9 + 3.4 * shows), dpi=110, layout="constrained")
        figure.get_layout_engine().set(w_pad=0.08, h_pad=0.10, hspace=0.04, wspace=0.03)
        rows = figure.subfigures(2 + shows, 1, height_ratios=[1.42, 1, 1][: 2 + shows])
        tracks(rows[0], watch)
        coupling(rows[1], watch)
        if shows:
            constellations(rows[2], watch)
        with whole_file(path) as file:
            figure.savefig(file, format="png")
        plt.close(figure)


def tracks(figure: FigureBase, watch: "Watch") -> None:
    """Every estimate over stream time beside the truth, with error bars on some, and their errors enlarged."""
    time = np.array([message_time(m) for m in watch.estimates])
    true = watch.truth.azimuth_deg(time) if watch.truth.known else np.zeros((len(time), 0))
    points: dict[int, list[tuple[float, float, float, float]]] = {}
    for instant, near, message in zip(time - time[0], true, watch.estimates, strict=True):
        for rank, (azimuth, bar, _, truth, _) in enumerate(watch.rows(message)):
            emitter = int(np.argmin(np.abs(near - truth))) if truth == truth else -1 if near.size else rank
            error = wrap_deg(azimuth - truth)
            # Drawn beside the truth it goes with, so that no track jumps by a turn.
            points.setdefault(emitter, []).append((instant, truth + error if truth == truth else azimuth, bar, error))
    known = true.size > 0
    axes = np.atleast_1d(figure.subplots(1, 1 + known, width_ratios=[1.7, 1][: 1 + known]))
    for emitter in sorted(points):
        instant, azimuth, bar, error = np.array(points[emitter]).T
        colour = STRAY if emitter < 0 else COLOURS[emitter % len(COLOURS)]
        label = "estimates beyond the truth" if emitter < 0 else f"source {emitter + 1} (bars: 1 sd of some)"
        step = max(1, len(instant) // BARS)
        thin = slice(step * max(emitter, 0) // 2 % step, None, step)  # shifted, so that bars of two sources do not hide
        for place, value in zip(axes, (azimuth, error), strict=False):
            place.plot(instant, value, ".", color=colour, markersize=5, alpha=0.6, label=label, zorder=2)
            place.errorbar(instant[thin], value[thin], np.nan_to_num(bar[thin]), fmt="none", ecolor=colour,
                           elinewidth=1.3, capsize=2, alpha=0.75, zorder=3)  # fmt: skip
    for k, track in enumerate(true.T):
        label = "truth" if k == 0 else None
        order = np.argsort(time)  # the estimator may catch up with an older batch
        axes[0].plot(time[order] - time[0], track[order], color=TRUTH, linewidth=5, zorder=1, label=label)
    values = np.array([row for rows in points.values() for row in rows]).reshape(-1, 4)
    frame(axes[0], values[:, 1], true, least_margin=4.0)
    first = watch.estimates[0]
    title = f"{len(time)} estimates, array {first['array']}, method {first['method']}, {first['snapshots']} snapshots"
    axes[0].set(xlabel="time (s)", ylabel="azimuth (deg)", title=title)
    if not len(values):
        axes[0].text(0.5, 0.5, "no source was found", transform=axes[0].transAxes, ha="center", fontsize=14)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, markerscale=2.5)
    if known:
        axes[1].axhline(0, color=TRUTH, linewidth=3, zorder=1)
        frame(axes[1], values[:, 3][np.isfinite(values[:, 3])], np.zeros(1), least_margin=0.2)
        axes[1].set(xlabel="time (s)", ylabel="estimate - truth (deg)", title="Error of each direction")


def constellations(figure: FigureBase, watch: "Watch") -> None:
    """The newest samples: what one element hears, and what each emitter sends, turned so that QPSK stands upright."""
    message = watch.waveforms
    parts = [("one element hears", message["heard"], "#555555")]
    for k, emitter in enumerate(message["emitters"]):
        place = "no emitter" if emitter["azimuth_deg"] is None else f"emitter at {emitter['azimuth_deg']:.1f} deg"
        parts.append((place, emitter["samples"], COLOURS[k % len(COLOURS)]))
    for axes, (title, samples, colour) in zip(np.atleast_1d(figure.subplots(1, len(parts))), parts, strict=True):
        z = np.array(samples["re"]) + 1j * np.array(samples["im"])
        fourth = np.mean(z**4)  # of QPSK with points at 45 degrees: negative
        z = z * np.exp(-0.25j * np.angle(-fourth)) / max(np.sqrt(np.mean(np.abs(z) ** 2)), 1e-12)
        axes.plot(z.real, z.imag, ".", color=colour, markersize=4, alpha=0.6)
        axes.set(title=title, aspect="equal", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), xticks=[-1, 0, 1], yticks=[-1, 0, 1])


def frame(axes: Axes, values: np.ndarray, always: np.ndarray, least_margin: float) -> None:
    """Vertical limits that show all but a few stray values, whose number is told."""
    if values.size == 0:
        return
    low, high = np.percentile(values, [1, 99])
    low, high = min([low, *always.flat]), max([high, *always.flat])
    margin = max(least_margin, 0.25 * (high - low))
    low, high = low - margin, high + margin
    axes.set_ylim(low, high)
    outside = int(((values < low) | (values > high)).sum())
    if outside:
        axes.annotate(f"{outside} outside the frame", (1, 0.01), xycoords="axes fraction", ha="right", color=STRAY)


def coupling(figure: FigureBase, watch: "Watch") -> None:
    """Newest coupling estimate beside the truth, magnitude and phase, and the error over time."""
    known = [(message_time(m), c) for m in watch.estimates if (c := coupling_matrix(m)) is not None]
    truth = watch.truth.coupling
    if not known:
        axes = figure.subplots()
        axes.axis("off")
        axes.text(0.5, 0.5, f"method {watch.estimates[0]['method']} estimates no coupling", ha="center", fontsize=14)
        return
    matrices = [("estimated", known[-1][1])] + ([] if truth is None else [("true", truth)])
    right = 0 if truth is None else 1
    axes = figure.subplots(1, 2 * len(matrices) + right, width_ratios=[1] * 2 * len(matrices) + [1.55] * right)
    scales = (
        ("|C| (dB)", "viridis", Normalize(FLOOR_DB, 0), lambda c: 20 * np.log10(np.maximum(np.abs(c), 1e-9))),
        ("arg C (deg)", "twilight", Normalize(-180, 180), lambda c: np.degrees(np.angle(c))),
    )
    for part, (name, colours, norm, value) in enumerate(scales):
        places = axes[part * len(matrices) : (part + 1) * len(matrices)]
        for place, (kind, matrix) in zip(places, matrices, strict=True):
            shown = np.ma.masked_where(np.abs(matrix) < 10 ** (FLOOR_DB / 20), value(matrix)) if part else value(matrix)
            place.set_facecolor("white" if part else "#440154")
            place.set_anchor("S")
            place.imshow(shown, cmap=colours, norm=norm, interpolation="nearest")
            place.set_title(f"{name.rpartition(' ')[0]}, {kind}")
            place.set(xticks=[0, len(matrix) - 1], yticks=[0, len(matrix) - 1])
            place.grid(False)
            place.spines[:].set_visible(False)
        ticks = [-30, -20, -10, 0] if part == 0 else [-180, -90, 0, 90, 180]
        figure.colorbar(ScalarMappable(norm, colours), ax=list(places), location="bottom", shrink=0.9, label=name,
                        ticks=ticks, aspect=30)  # fmt: skip
    if truth is not None:
        error = np.array([coupling_error_db(c, truth) for _, c in known])
        place, time = axes[-1], np.array([t for t, _ in known]) - message_time(watch.estimates[0])
        place.plot(time, error, ".", color=COLOURS[0], markersize=4, alpha=0.5, label="each estimate")
        place.axhline(float(np.median(error)), color=COLOURS[0], label=f"median {np.median(error):.1f} dB")
        naive = coupling_error_db(np.eye(len(truth), dtype=complex), truth)
        place.axhline(naive, color="#555555", linestyle="--", label=f"coupling ignored {naive:.1f} dB")
        place.set(title="Coupling error", xlabel="time (s)", ylabel="error / |C|² (dB)")
        place.legend(loc="upper center", bbox_to_anchor=(0.42, -0.26), fontsize=9, ncols=3, columnspacing=0.8,
                     handlelength=1.4)  # fmt: skip
