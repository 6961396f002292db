"""Training curves show the lines of the log."""

import numpy as np
from matplotlib.figure import Figure

from doamc.figures.training import SIZE, draw

LINES = [
    {"schema": "doamc.training/1", "kind": "posterior", "array": "ula8", "step": 100 * k, "minutes": 0.5 * k,
     "loss": float("nan") if k == 0 else 2.0 / k, "rate": 1e-3 * (10 - k)}
    | ({"validation": 3.0 / (k + 1), "hit": 0.1 * k, "limit": 0.95} if k % 3 == 0 else {})
    for k in range(10)
]  # fmt: skip


def test_losses_rates_and_figures():
    figure = Figure(figsize=SIZE, layout="constrained")
    draw(figure, LINES)
    figure.canvas.draw()
    losses, rate, figures = figure.axes
    loss, validation = losses.lines
    np.testing.assert_array_equal(loss.get_xdata(), 100 * np.arange(10))
    np.testing.assert_array_equal(loss.get_ydata()[1:], 2.0 / np.arange(1, 10))
    np.testing.assert_array_equal(validation.get_data(), [[0, 300, 600, 900], [3.0, 0.75, 3 / 7, 0.3]])
    np.testing.assert_allclose(rate.lines[0].get_ydata(), 1e-3 * (10 - np.arange(10)))
    hit, limit = figures.lines
    np.testing.assert_allclose(hit.get_ydata(), [0, 0.3, 0.6, 0.9])
    assert set(limit.get_ydata()) == {0.95} and limit.get_label() == "hits, Bayes limit"
    assert losses.get_yscale() == "log" and {a.get_xlabel() for a in figure.axes} == {"step"}
    assert figures.get_ylabel() == "on validation data (share)"
    assert "posterior net for ula8, 4.5 min" in [t.get_text() for t in losses.texts]


def test_a_log_of_losses_alone():
    figure = Figure(figsize=SIZE, layout="constrained")
    draw(figure, [{"step": 10, "minutes": 1.0, "loss": -3.0, "rate": 1e-3, "kind": "vae", "array": "ula4"}])
    figure.canvas.draw()
    assert len(figure.axes) == 2 and figure.axes[0].get_yscale() == "linear"  # a bound may be negative


def test_a_training_of_one_step_has_no_loss_yet():
    figure = Figure(figsize=SIZE, layout="constrained")
    draw(figure, [{"step": 1, "minutes": 0.1, "loss": None, "rate": 1e-7, "kind": "batch", "array": "ula4"}])
    figure.canvas.draw()
    assert figure.axes[0].get_yscale() == "linear"
