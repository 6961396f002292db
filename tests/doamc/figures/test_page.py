"""What stands in the axes of the figures of a run is what the log and the truth say."""

import json

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from doamc.angles import great_circle_deg
from doamc.errors import ViewError
from doamc.estimates import Recorder
from doamc.estimates.truth_files import read_truth
from doamc.figures.page import draw_page, kinds_of, size_of
from doamc.figures.run import read_run
from doamc.figures.time_axis import time_axis
from doamc.views.convention import Convention
from doamc.views.palette import COLOURS, TRUTH
from tests.doamc.figures.runs import COUPLING, ERRORS, estimate, truth_at, truth_message, write_log
from tests.doamc.figures.skies import ERRORS as SKY_ERRORS
from tests.doamc.figures.skies import sky_at, write_sky_log


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return read_run(write_log(tmp_path_factory.mktemp("logs") / "x.jsonl"))


def plots_of(run, kind):
    figure = Figure(figsize=size_of([kind]), layout="constrained")
    draw_page(figure, run, kinds_of(run, kind))
    figure.canvas.draw()
    return figure.axes


def lines_of(axes):
    """(colour, x, y) of every line."""
    return [(to_hex(line.get_color()).upper(), *line.get_data()) for line in axes.lines]


def band_of(collection):
    """Lower and upper edge of a band, by its x."""
    points = collection.get_paths()[0].vertices
    x = np.unique(points[:, 0])
    return x, *([f(points[points[:, 0] == v, 1]) for v in x] for f in (np.min, np.max))


def test_tracks(run):
    (axes,) = plots_of(run, "tracks")
    lines = lines_of(axes)
    for number in (0, 1):
        true = np.array([truth_at(t)[number] for t in range(10)])
        colour, x, y = lines[number]
        assert colour == TRUTH
        np.testing.assert_allclose(np.stack([x, y]), [range(10), true], atol=1e-9)
        colour, x, y = lines[2 + number]
        assert colour == COLOURS[number]
        np.testing.assert_allclose(np.stack([x, y]), [range(10), true + ERRORS[:, number]], atol=1e-9)
        bars = np.array(axes.collections[number].get_segments())  # (bar, end, x and y)
        np.testing.assert_allclose(bars[..., 0], np.stack([x, x], 1))
        np.testing.assert_allclose(bars[..., 1] - y[:, None], [[-0.11, 0.11], [-0.1, 0.1]][number] * np.ones((10, 1)))
    assert axes.get_xlabel() == "time (s)" and axes.get_ylabel() == "azimuth from +x (deg)"
    low, high = axes.get_ylim()
    assert low < 100 and high > 373 and axes.get_title(loc="left") == ""  # one plot bears no letter


@pytest.mark.parametrize("truth", [False, True])
def test_tracks_of_bearings(tmp_path, truth):
    """Of an array that turns from 350 to 26 degrees; azimuths run the other way, and ticks stay within a turn."""
    path = tmp_path / "x.jsonl"
    headings = [350.0 + 4.0 * k for k in range(10)]
    with Recorder(path) as recorder:
        for k, heading in enumerate(headings):
            if truth:
                recorder.write(truth_message(float(k)))
            recorder.write(estimate(k, heading_deg=heading))
    bearings = [np.array([h - truth_at(k)[n] for k, h in enumerate(headings)]) for n in (0, 1)]
    bearings = [b - 360 * np.floor(np.median(b) / 360) for b in bearings]
    run = read_run(path)
    (axes,) = plots_of(run, "tracks")
    assert axes.get_ylabel() == "bearing from true north (deg)"
    lines = lines_of(axes)
    assert len(lines) == 2 + 2 * truth
    for colour, _, y in lines[:2] if truth else ():
        assert colour == TRUTH and any(np.allclose(y, b) for b in bearings)
    for _, x, y in lines[-2:]:
        wanted = [b - ERRORS[:, n] for n, b in enumerate(bearings)]
        assert x.tolist() == list(range(10)) and any(np.allclose(y, b if truth else b % 360) for b in wanted)
    assert all(0 <= float(label.get_text()) < 360 for label in axes.get_yticklabels())
    (fixed,) = plots_of(read_run(path, convention=Convention("compass", 0.0)), "tracks")  # what is told here counts
    assert any(np.allclose(y, 260.0 - ERRORS[:, 1]) for _, _, y in lines_of(fixed)[-2:])
    for number, errors in enumerate(ERRORS.T) if truth else ():
        np.testing.assert_allclose(lines_of(plots_of(run, "errors")[0])[number][2], -errors, atol=1e-9)  # of bearings
    (plain,) = plots_of(read_run(path, convention=Convention("math")), "tracks")
    assert plain.get_ylabel() == "azimuth from +x (deg)"


def test_errors(run):
    left, right = plots_of(run, "errors")
    for number in (0, 1):
        _, x, y = lines_of(left)[number]
        np.testing.assert_allclose(np.stack([x, y]), [range(10), ERRORS[:, number]], atol=1e-9)
        _, low, high = band_of(left.collections[number])
        np.testing.assert_allclose(high, [0.11, 0.1][number])  # what the error bars promise
        np.testing.assert_allclose(low, [-0.11, -0.1][number])
        _, size, share = lines_of(right)[number]
        np.testing.assert_allclose(size, np.sort(np.abs(ERRORS[:, number])), atol=1e-9)
        np.testing.assert_allclose(share, np.arange(1, 11) / 10)
    labels = [line.get_label() for line in right.lines]
    # errors of 0.1 within 0.11, always; 0, 0.02, ..., 0.18 within 0.1: six of ten; RMS = 0.02 sqrt(285 / 10)
    assert labels == ["source 1: RMS 0.1°, 1.00 within 1 sd", "source 2: RMS 0.11°, 0.60 within 1 sd"]
    assert [a.get_title(loc="left") for a in (left, right)] == ["(a)", "(b)"]


def test_coupling(run):
    mean, true, magnitude_bar, phase, true_phase, _, time = _coupling_axes(run)
    for axes in (mean, true):
        db = np.asarray(axes.images[0].get_array())
        np.testing.assert_allclose(np.diag(db)[0], 0.0 if axes is true else 20 * np.log10(1.045), atol=1e-9)
        np.testing.assert_allclose(db[0, 1] - db[0, 0], 20 * np.log10(0.2), atol=1e-9)
    for axes in (phase, true_phase):
        np.testing.assert_allclose(np.asarray(axes.images[0].get_array()), np.where(np.eye(3), 0.0, 90.0), atol=1e-9)
    assert magnitude_bar.get_xlabel() == "|C| (dB)"
    (_, x, y), (_, _, middle), (_, _, ignored) = lines_of(time)
    np.testing.assert_array_equal(x, np.arange(10))
    assert (y < -250).all() and middle[0] == pytest.approx(np.median(y))
    off = np.abs(COUPLING - np.eye(3)) ** 2
    assert ignored[0] == pytest.approx(10 * np.log10(off.sum() / (np.abs(COUPLING) ** 2).sum()))


def _coupling_axes(run):
    axes = plots_of(run, "coupling")
    maps = [a for a in axes if a.images and a.get_xlabel() == "element"]
    bars = [a for a in axes if a.get_xlabel() in ("|C| (dB)", "arg C (deg)")]
    (time,) = [a for a in axes if a.get_xlabel() == "time (s)"]
    return maps[0], maps[1], bars[0], maps[2], maps[3], bars[1], time


def test_latency(run):
    left, right = plots_of(run, "latency")
    expected = {0: np.ones(10), 1: 10.0 + np.arange(10), 2: 11.0 + np.arange(10)}
    for k, values in expected.items():
        np.testing.assert_array_equal(lines_of(left)[k][1:], [np.arange(10), values])
        np.testing.assert_array_equal(lines_of(right)[k][1], np.sort(values))
    assert right.lines[2].get_label().startswith("total: median 15.5, 95 % 19.")  # 15.5 and 19.55
    assert "10 estimates, 3 lost, 9 batches dropped" in [t.get_text() for t in left.texts]


def test_a_page_has_what_the_log_has(tmp_path, run):
    assert kinds_of(run) == ["tracks", "errors", "coupling", "latency"]
    bare = read_run(write_log(tmp_path / "x.jsonl", truth=False, coupling=None, latency_ms={}))
    assert kinds_of(bare) == ["tracks"]
    for kind, told in (("errors", "--truth"), ("coupling", "ml estimates none"), ("latency", "latencies")):
        with pytest.raises(ViewError, match=told):
            kinds_of(bare, kind)
    figure = Figure(figsize=size_of(kinds_of(run)), layout="constrained")
    draw_page(figure, run, kinds_of(run))
    letters = [a.get_title(loc="left")[:3] for a in figure.axes if a.get_title(loc="left")]
    assert letters == [f"({c})" for c in "abcdefgh"]


def test_coupling_without_truth_is_set_beside_its_mean(tmp_path):
    alone = read_run(write_log(tmp_path / "x.jsonl", truth=False))
    axes = plots_of(alone, "coupling")
    assert sum(bool(a.images) and a.get_xlabel() == "element" for a in axes) == 2
    (time,) = [a for a in axes if a.get_xlabel() == "time (s)"]
    assert "distance from the mean" in time.get_ylabel()


def test_outliers_do_not_set_the_scale_and_are_told(tmp_path):
    from doamc.estimates import Recorder
    from tests.doamc.figures.runs import estimate

    path = tmp_path / "x.jsonl"
    with Recorder(path) as recorder:
        for k in range(400):
            recorder.write(estimate(0, seq=k, sample_time=k / 10, azimuth_deg=[10.0], std_deg=[1.0], power_db=None))
        recorder.write(estimate(0, seq=400, sample_time=41.0, azimuth_deg=[170.0], std_deg=[1.0], power_db=None))
    (axes,) = plots_of(read_run(path), "tracks")
    assert axes.get_ylim() == pytest.approx((8.0, 12.0))
    assert "1 beyond the frame" in [t.get_text() for t in axes.texts]


@pytest.mark.parametrize("truth", [False, True])
def test_a_crowd_of_sources_leaves_room_for_the_plots(tmp_path, truth):
    """A legend of forty would leave none, of which matplotlib warns."""
    many = {"azimuth_deg": np.arange(40.0) * 9, "std_deg": np.ones(40)}
    write_log(tmp_path / "x.jsonl", truth=False, **many)
    if truth:
        (tmp_path / "t.json").write_text(json.dumps({"azimuth_deg": list(range(0, 360, 9))}))
    run = read_run(tmp_path / "x.jsonl", read_truth(tmp_path / "t.json") if truth else None)
    for kind in [kind for kind in kinds_of(run) if kind in ("tracks", "errors")]:
        for axes in plots_of(run, kind):
            legend = axes.get_legend() or (axes.figure.legends[0] if axes.figure.legends else None)
            assert legend is None or len(legend.get_texts()) <= 12
            assert axes.get_position().height > 0.2


def test_errors_on_the_sky(tmp_path):
    """Beside what the error bars promise, hypot(0.5 cos el, 0.3), and how many lie in ellipses of 90 %."""
    run = read_run(write_sky_log(tmp_path / "x.jsonl"))
    left, right = plots_of(run, "errors")
    assert left.get_ylabel() == "angle on the sky (deg)"
    for number in (0, 1):
        p = run.points.of(number)
        np.testing.assert_allclose(lines_of(left)[number][2], p.distance_deg)
        _, low, high = band_of(left.collections[number])
        promised = np.hypot(0.5 * np.cos(np.radians(p.elevation_deg)), 0.3)
        assert set(low) == {0.0} and high[0] == pytest.approx(promised[0])
    # (0.4 / 0.5)^2 + (e / 0.3)^2 <= 4.605 for |e| <= 0.597: all errors of elevation, -0.5 to 0.4
    assert all(line.get_label().endswith("1.00 in 90 % ellipses") for line in right.lines)
    # errors that go together fit an ellipse that slants so; of 0.4 / 0.5 and -0.4 / 0.3 they cannot with 0.9
    tied = read_run(write_sky_log(tmp_path / "z.jsonl", elevation_correlation=np.array([0.9, 0.9])))
    a, e = SKY_ERRORS.T / [[0.5], [0.3]]
    inside = np.mean((a**2 + e**2 - 1.8 * a * e) / (1 - 0.81) <= -2 * np.log(0.1))
    _, right = plots_of(tied, "errors")
    assert right.lines[0].get_label().endswith(f"{inside:.2f} in 90 % ellipses") and 0 < inside < 1
    bare = read_run(write_sky_log(tmp_path / "y.jsonl", elevation_deg=None, elevation_std_deg=None))
    assert plots_of(bare, "errors")[0].get_ylabel() == "estimate - truth (deg)"  # azimuths alone were told


def test_the_sky(tmp_path):
    """Zenith distance against azimuth, on the truth; ellipses; rings where else the newest directions may be."""
    modes = [{"share": s, "azimuth_deg": [9.0 * s], "elevation_deg": [50.0 * s], "std_deg": [1.0]} for s in (0.6, 0.4)]
    run = read_run(write_sky_log(tmp_path / "x.jsonl", modes=modes))
    sky, time = plots_of(run, "sky")
    assert sky.name == "polar" and (sky.get_theta_offset(), sky.get_theta_direction()) == (0.0, 1)
    for number in (0, 1):
        p = run.points.of(number)
        true = np.array([sky_at(t) for t in range(10)])[:, :, number]
        colour, angle, away = lines_of(sky)[number]
        assert colour == TRUTH
        np.testing.assert_allclose([np.degrees(angle), 90.0 - away], true.T, atol=1e-9)
        colour, angle, away = lines_of(sky)[2 + number]
        assert colour == COLOURS[number]
        np.testing.assert_allclose([np.degrees(angle), 90.0 - away], [p.azimuth_deg, p.elevation_deg], atol=1e-9)
        np.testing.assert_allclose(lines_of(time)[number][2], true[:, 1])
    outline = lines_of(sky)[4]  # of the newest reading, about the emitter at 9 degrees
    distance = great_circle_deg(13.0 - 0.4, 66.0 + 0.4, np.degrees(outline[1]), 90.0 - outline[2])
    assert distance.max() == pytest.approx(2.146 * 0.3, rel=1e-3)  # 0.5 cos 66.4 is less
    assert len(sky.patches) == 2 * 6
    _, angle, away = lines_of(sky)[-1]
    assert (np.degrees(angle).item(), 90.0 - away.item()) == pytest.approx((3.6, 20.0))
    assert (time.get_ylabel(), len(run.readings[-1].modes)) == ("elevation (deg)", 2)
    with pytest.raises(ViewError, match="expected elevations in the log"):
        kinds_of(read_run(write_log(tmp_path / "y.jsonl")), "sky")
    assert "sky" in kinds_of(run)


def test_the_sky_of_bearings_and_below_the_horizon(tmp_path):
    changes = {"heading_deg": 30.0, "elevation_deg": np.array([-20.0, 50.0]), "azimuth_deg": np.array([-5.0, 100.0])}
    flat, _ = plots_of(read_run(write_sky_log(tmp_path / "x.jsonl", truth=False, **changes)), "sky")
    assert flat.name == "rectilinear" and flat.get_xlim() == (0.0, 360.0) and flat.get_ylim() == (-90.0, 90.0)
    dots = {(round(x[0], 6), y[0]) for _, x, y in lines_of(flat) if len(x) == 10}
    assert dots == {(35.0, -20.0), (290.0, 50.0)}
    changes["elevation_deg"] = np.array([20.0, 50.0])
    sky, _ = plots_of(read_run(write_sky_log(tmp_path / "y.jsonl", truth=False, **changes)), "sky")
    assert sky.name == "polar" and (sky.get_theta_offset(), sky.get_theta_direction()) == (np.pi / 2, -1)
    assert [t.get_text() for t in sky.get_xticklabels()][:3] == ["N", "NE", "E"]


@pytest.mark.parametrize(("length_s", "unit"), [(0.0, "s"), (20.0, "s"), (0.0044, "ms"), (3e-5, "µs")])
def test_the_time_axis_is_as_long_as_the_run(length_s, unit):
    axes = Figure().subplots()
    time_axis(axes, np.array([0.0, length_s]))
    assert axes.get_xlim() == (0.0, length_s or 1.0) and axes.get_xlabel() == f"time ({unit})"
    if unit == "ms":
        assert [label.get_text() for label in axes.get_xticklabels()][:5] == ["0", "1", "2", "3", "4"]
