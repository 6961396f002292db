"""``doamc compare``: errors against closed forms, methods against the bound, the picture."""

import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.estimators import METHODS
from doamc.figures.style import curve_style, draw_figure, plain_log
from doamc.trials.monte_carlo import azimuth_error, coupling_gain_db


@settings(max_examples=50)
@given(st.lists(st.floats(0, 359), min_size=1, max_size=3), st.integers(-2, 2), st.floats(-1, 1))
def test_circle_errors_know_no_seam(degrees, turns, shift):
    true = torch.tensor([degrees]).double().deg2rad()
    estimate = true + math.radians(shift) + 2 * math.pi * turns
    error = azimuth_error(true, estimate.flip(1), True).rad2deg()
    assert error.square().mean().sqrt() <= abs(shift) + 1e-6  # the best rotation is at least that good


def test_line_errors_are_of_sorted_angles_and_nan_stays():
    true = torch.tensor([[0.1, 0.5]])
    error = azimuth_error(true, torch.tensor([[0.7, 0.1]]), False)
    torch.testing.assert_close(error, torch.tensor([[0.0, 0.2]]))
    assert azimuth_error(true, torch.tensor([[0.7, math.nan]]), False).isnan().any()


def test_coupling_gain_in_closed_form():
    c = torch.eye(4, dtype=torch.complex128) + 0.1j * (torch.ones(4, 4) - torch.eye(4))
    half = torch.eye(4) + 0.05j * (torch.ones(4, 4) - torch.eye(4))
    # e = I + j b S, c = I + j a S with |S|^2 = 12 against |I|^2 = 4, I and S orthogonal:
    # 1 - |<c, e>|^2 / |c|^2 |e|^2 = 12 * 4 * (a - b)^2 / ((4 + 12 a^2)(4 + 12 b^2))
    expected = 10 * math.log10((0.1**2 / 4) / (0.05**2 / (4 + 12 * 0.05**2)))
    assert coupling_gain_db(c[None], half.to(c)[None] * 2j) == pytest.approx(expected)  # scale does not matter
    assert coupling_gain_db(c[None], torch.eye(4).to(c)[None]) == pytest.approx(0.0, abs=1e-9)
    assert coupling_gain_db(c[None], torch.full_like(c, math.nan)[None]) is None


def test_ml_stands_at_the_bound_and_music_is_biased(doamc, tmp_path):
    plot = tmp_path / "c.png"
    status, text, err = doamc("compare", "ula8", "--methods", "music", "ml", "--snr-db", 20, "--sources", 1,
                              "--trials", 60, "--snapshots", 100, "--seed", 3, "--json", "--plot", plot)  # fmt: skip
    assert (status, err) == (0, "")
    rows = {r["method"]: r for r in json.loads(text)["rows"]}
    ml, music = rows["ml"], rows["music"]
    # relative standard deviation of a root mean square over 60 trials is 9 %: 3 sigma
    assert ml["hits"] == 1.0 and 0.73 < ml["rmse_deg"] / ml["bound_deg"] < 1.27
    assert ml["coupling_gain_db"] > 20 and music["coupling_gain_db"] == pytest.approx(0.0, abs=1e-9)
    assert music["bound_deg"] == ml["bound_deg"] and music["rmse_deg"] > 3 * ml["rmse_deg"]
    assert ml["ms"] > 0
    assert plot.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_table_has_a_row_a_method_and_snr(doamc):
    status, text, _ = doamc("compare", "ula4", "--methods", "music", "rare", "--snr-db", -5, 5, "--sources", 1,
                            "--trials", 5)  # fmt: skip
    rows = [line.split() for line in text.splitlines()]
    assert status == 0 and rows[0][0] == "method"
    assert [(r[0], r[1]) for r in rows[1:]] == [("music", "-5"), ("rare", "-5"), ("music", "5"), ("rare", "5")]


def test_all_routes_beside_the_bound(doamc, tmp_path):
    """Whatever the array and the number of snapshots allow, and why the others are left out; the figure names all."""
    plot = tmp_path / "c.svg"
    status, text, err = doamc("compare", "uca5", "--methods", "all", "--snr-db", 10, "--trials", 2, "--snapshots", 4,
                              "--plot", plot)  # fmt: skip
    assert status == 0
    listed = [line.split()[0] for line in text.splitlines()[1:]]
    assert {"music", "ml", "map", "em", "sbl", "bcs", "coupling-diffusion", "vae", "ddim", "posterior"} <= set(listed)
    left_out = dict(line.removeprefix("doamc: ").split(" left out: ") for line in err.splitlines())
    assert set(listed) | set(left_out) == set(METHODS) and not set(listed) & set(left_out)
    assert "uniform linear array" in left_out["esprit"] and "at least 5 snapshots" in left_out["comet"]
    drawn = plot.read_text()
    for word in (*listed, "Cramér-Rao bound", "SNR / dB", "time per estimate / ms", "gain of coupling over C = I / dB"):
        assert f">{word}<" in drawn


def test_methods_with_options_are_compared(doamc):
    status, text, _ = doamc("compare", "ula8", "--methods", "em", "em:samples=1", "--snr-db", 10, "--trials", 20,
                            "--json")  # fmt: skip
    rows = {r["method"]: r for r in json.loads(text)["rows"]}
    assert status == 0 and list(rows) == ["em", "em:samples=1"]
    # one draw in place of exact moments leaves a spread in the fixed point
    assert rows["em:samples=1"]["coupling_gain_db"] < rows["em"]["coupling_gain_db"] - 3


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.05, 1.0, {0.05, 0.1, 0.2, 0.5, 1}), (0.1, 900, {0.1, 1, 10, 100})]
)
def test_logarithmic_axes_are_labelled_in_plain_numbers(tmp_path, low, high, expected):
    texts = []

    def draw(figure):
        axes = figure.subplots()
        axes.plot([0, 1], [low, high])
        plain_log(axes)
        figure.canvas.draw()
        texts.extend(t.get_text() for t in axes.get_yticklabels())

    draw_figure(str(tmp_path / "f.pdf"), (3, 3), draw)
    assert expected <= {float(t) for t in texts if t} and not [t for t in texts if "e" in t or "$" in t]
    assert (tmp_path / "f.pdf").read_bytes()[:5] == b"%PDF-"


def test_curves_differ():
    styles = {tuple(sorted(curve_style(k).items())) for k in range(77)}
    assert len(styles) == 77


def test_bad_options_are_refused(refused, tmp_path):
    assert "method must be one of" in refused("compare", "ula4", "--methods", "music,ml")
    assert "1..3" in refused("compare", "ula4", "--sources", 4)
    assert "expected a figure that ends in .png, .pdf, .svg" in refused("compare", "ula4", "--plot", tmp_path / "c.txt")
    assert "as em:OPTION=VALUE, found 'prior:true'" in refused("compare", "ula4", "--methods", "em:prior:true")
    assert "there is no folder" in refused("compare", "ula4", "--plot", tmp_path / "no" / "c.png")
