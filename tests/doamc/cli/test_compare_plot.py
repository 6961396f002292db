"""The figure of ``doamc compare`` shows the rows."""

import numpy as np
from matplotlib.figure import Figure

from doamc.cli.compare_plot import _label, draw_comparison
from doamc.figures.bands import band_of

ROWS = [
    {"method": method, "snr_db": snr, "trials": 50, "hits": min(1.0, 0.3 + 0.02 * snr + shift), "ms": 1.0 + shift + snr,
     "rmse_hit_deg": 0.5 / (1 + snr), "rmse_hit_std_deg": 0.02 / (1 + snr), "bound_deg": 0.4 / (1 + snr),
     "coupling_gain_db": None if method == "music" else snr + 5.0}
    for method, shift in (("music", 0.0), ("ml", 0.1)) for snr in (0.0, 10.0, 20.0)
]  # fmt: skip


def test_lines_and_bands_are_those_of_the_rows():
    figure = Figure(layout="constrained")
    draw_comparison(figure, ROWS, "a title")
    figure.canvas.draw()
    rmse, hits, gain, times = figure.axes
    for k, method in enumerate(("music", "ml")):
        mine = [r for r in ROWS if r["method"] == method]
        for axes, key in ((rmse, "rmse_hit_deg"), (hits, "hits"), (gain, "coupling_gain_db")):
            wanted = np.array([np.nan if r[key] is None else r[key] for r in mine], dtype=float)
            np.testing.assert_array_equal(axes.lines[k].get_data(), [[0.0, 10.0, 20.0], wanted])
        for axes, key in ((rmse, "rmse_hit_deg"), (hits, "hits")):
            edges = axes.collections[k].get_paths()[0].vertices
            for snr, low, high in zip((0.0, 10.0, 20.0), *band_of(key, mine), strict=True):
                here = edges[edges[:, 0] == snr, 1]
                np.testing.assert_allclose([here.min(), here.max()], [low, high])
        np.testing.assert_array_equal(times.lines[k].get_xdata(), [mine[0]["ms"], mine[2]["ms"]])
    np.testing.assert_array_equal(rmse.lines[2].get_data(), [[0.0, 10.0, 20.0], [0.4, 0.4 / 11, 0.4 / 21]])
    assert rmse.get_yscale() == "log" and [a.get_xlabel() for a in figure.axes[:3]] == ["SNR / dB"] * 3


def test_long_options_stand_below_their_method():
    assert _label("em:prior=true,samples=8") == "em:prior=true,samples=8"
    long = _label("ddim-snapshot:sampler=euler-maruyama,guidance=likelihood,steps=50")
    assert long == "ddim-snapshot:\nsampler=euler-maruyama,\nguidance=likelihood,\nsteps=50"
    assert _label("ddim-snapshot:guidance=step,samples=1") == "ddim-snapshot:\nguidance=step,samples=1"
