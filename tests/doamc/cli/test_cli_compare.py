"""``doamc compare``: methods against the bound, the picture."""

import csv
import json
import math

import pytest

from doamc.estimators import METHODS
from doamc.figures.style import curve_style, draw_figure, plain_log


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


def test_errors_against_elevation_are_drawn_and_written(doamc, refused, tmp_path):
    figure, table = tmp_path / "e.svg", tmp_path / "e.csv"
    status, text, err = doamc("compare", "dome8", "--methods", "music", "map", "--snr-db", 5, 15, "--sources", 1,
                              "--trials", 40, "--json", "--elevation", figure, "--elevation", table)  # fmt: skip
    assert (status, err) == (0, "")
    rows = json.loads(text)["rows"]
    with table.open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 4 * 6 and {(r["method"], r["snr_db"]) for r in lines} == {
        (m, s) for m in ("music", "map") for s in ("5.0", "15.0")
    }
    assert [float(r["rmse_hit_deg"] or "nan") for r in lines] == pytest.approx(
        [math.nan if b["rmse_hit_deg"] is None else b["rmse_hit_deg"] for r in rows for b in r["by_elevation"]],
        nan_ok=True,
    )
    drawn = figure.read_text()
    for word in ("music", "map", "Cramér-Rao bound", "true elevation / degrees", "5 dB", "15 dB"):
        assert f">{word}<" in drawn, word
    assert "found ula8 without" in refused("compare", "ula8", "--elevation", table)
    assert "ends in .csv, .png, .pdf or .svg" in refused("compare", "dome8", "--elevation", tmp_path / "e.txt")


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
    assert "expected a file that ends in .png, .pdf or .svg" in refused("compare", "ula4", "--plot", tmp_path / "c.txt")
    assert "as em:OPTION=VALUE, found 'prior:true'" in refused("compare", "ula4", "--methods", "em:prior:true")
    assert "there is no folder" in refused("compare", "ula4", "--plot", tmp_path / "no" / "c.png")


def test_workers_give_the_numbers_of_one_process(doamc):
    words = ("compare", "ula8", "--methods", "music", "ml", "--snr-db", 0, 10, "--trials", 5, "--json")
    rows = []
    for more in ((), ("--workers", 1)):
        status, text, err = doamc(*words, *more)
        assert (status, err) == (0, "")
        rows.append([{k: v for k, v in row.items() if k != "ms"} for row in json.loads(text)["rows"]])
    assert rows[0] == rows[1] and len(rows[0]) == 4


def test_a_folder_keeps_rows_and_goes_on(doamc, refused, tmp_path, monkeypatch):
    words = ("compare", "ula4", "--methods", "music", "rare", "--snr-db", 0, 10, "--sources", 1, "--trials", 3)
    from doamc.cluster.manifest import Manifest

    add, made = Manifest.add_part, []

    def ended(self, name, first, data):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(first)
        add(self, name, first, data)

    monkeypatch.setattr(Manifest, "add_part", ended)
    assert doamc(*words, "-o", tmp_path / "out")[0] == 130
    monkeypatch.setattr(Manifest, "add_part", lambda self, *a: (made.append(a[1]), add(self, *a)))
    texts = []
    for _ in range(2):
        status, text, err = doamc(*words, "-o", tmp_path / "out")
        assert (status, err) == (0, "")
        texts.append(text)
    assert made == [0, 1, 2, 3] and texts[0] == texts[1]
    held = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert [(r["method"], r["snr_db"]) for r in held["rows"]] == [
        ("music", 0.0), ("rare", 0.0), ("music", 10.0), ("rare", 10.0),
    ]  # fmt: skip
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["compare.json", "manifest.jsonl"]
    assert "name another folder" in refused(*words, "--seed", 1, "-o", tmp_path / "out")


def test_a_row_that_fails_is_listed_and_the_others_are_there(doamc, tmp_path, monkeypatch):
    """Rows fail on workers alone: here the method is known to the command, and then no more."""
    from doamc.trials import sweep

    one = sweep.compare_one

    def failing(task):
        if task["method"] == "rare":
            raise MemoryError("too much")
        return one(task)

    monkeypatch.setattr(sweep, "compare_one", failing)
    words = ("compare", "ula4", "--methods", "music", "rare", "--snr-db", 0, "--sources", 1, "--trials", 3, "--json")
    status, text, err = doamc(*words, "-o", tmp_path / "out")
    assert status == 1 and err == "doamc: set aside: rare at 0 dB: MemoryError: too much\n"
    assert [r["method"] for r in json.loads(text)["rows"]] == ["music"]
    monkeypatch.setattr(sweep, "compare_one", one)
    status, text, err = doamc(*words, "-o", tmp_path / "out")
    assert (status, err) == (0, "") and [r["method"] for r in json.loads(text)["rows"]] == ["music", "rare"]
