"""Arrays that lost elements, from file to file: against the bound of what is left, with and without known coupling."""

import numpy as np
import pytest
import torch
from benchmarks.yardsticks.stochastic_bound import stochastic_crb

from doamc.cli import main
from doamc.errors import EstimatorError
from doamc.estimators import make_estimator
from doamc.routes.completed import Completed, default_finish
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import fixed_scene, uncoupled_spec

UNCOUPLED = uncoupled_spec("ula8")


def run(tmp_path, snapshots, *arguments):
    np.savez(tmp_path / "in.npz", snapshots=snapshots)
    out = tmp_path / "out.npz"
    assert main(["estimate", str(tmp_path / "in.npz"), "-o", str(out), "--array", "ula8", "--sources", "2",
                 *map(str, arguments)]) == 0  # fmt: skip
    with np.load(out) as table:
        return dict(table)


@pytest.mark.parametrize(("lost", "snr_db"), [((2, 5), 20.0), ((1, 6), 0.0)])
def test_two_of_eight_lost_stay_within_the_bound_of_the_six(tmp_path, capsys, lost, snr_db):
    """Noise power unknown, dead channels hold zeros and NaN. 1.2 is two standard errors of 120 errors above what was
    measured with 400 scenes (1.03 to 1.07).
    """
    scenes, length = 60, 200
    g = torch.Generator().manual_seed(5)
    scene = draw_scene(UNCOUPLED, scenes, 2, snr_db, g)
    y = receive(scene, length, generator=g).snapshots.numpy()
    y[:, lost[0]], y[:, lost[1]] = 0, np.nan
    z = run(tmp_path, y, "--missing", f"{lost[0]},{lost[1]}")
    assert f"ula8 without {lost[0]}, {lost[1]}, ddrm, root-music" in capsys.readouterr().out
    live = [k for k in range(8) if k not in lost]
    rows = zip(scene.azimuth.numpy(), scene.power.numpy(), scene.noise_power.numpy(), strict=True)
    bound = np.array([stochastic_crb(UNCOUPLED.positions.numpy()[live], *row, length) for row in rows])
    ratio = np.sqrt(np.mean(((np.deg2rad(z["doa_deg"]) - scene.azimuth.numpy()) / bound) ** 2))
    assert 0.85 < ratio < 1.2
    assert np.isnan(z["doa_std_deg"]).all() and z["coupling"].shape == (scenes, 8, 8)
    assert np.median(np.abs(z["power_db"] - 10 * np.log10(scene.power.numpy()))) < 1.0
    assert np.median(z["noise_power"] / scene.noise_power.numpy()) == pytest.approx(1.0, abs=0.05)


def test_known_coupling_is_taken_out(tmp_path):
    """Coupling estimated while all eight were alive serves when one is dead: a bias stays without it."""
    spec, g = load_spec("ula8"), torch.Generator().manual_seed(3)
    scene = fixed_scene(spec, [-20.0, 25.0], 20.0, 12)
    theta = spec.family.draw((1,), g).expand(12, -1)
    c = spec.family.matrix(theta)
    received = receive(scene, 200, generator=g)
    y = (c @ received.clean + received.snapshots - received.clean).numpy()
    known = tmp_path / "known.npz"
    np.savez(known, coupling=np.concatenate([3j * c.numpy()[:2], np.full((1, 8, 8), np.nan)]))
    rms = []
    for arguments in (["--coupling", known], []):
        z = run(tmp_path, y, "--missing", 3, "--method", "root-music", *arguments)
        rms.append(np.sqrt(np.mean((z["doa_deg"] - [-20.0, 25.0]) ** 2)))
        # scale does not matter
        assert np.abs(z["coupling"] - (c.numpy() if arguments else np.eye(8))).max() < 1e-9
    assert 3 * rms[0] < rms[1]


def test_a_circle_with_music():
    spec = uncoupled_spec("uca5")
    scene = fixed_scene(spec, [40.0], 20.0, 20)
    y = receive(scene, 200, generator=torch.Generator().manual_seed(1)).snapshots
    assert default_finish(spec) == "music"
    e = Completed(make_estimator("music", spec), [1])(make_batch(y[:, [0, 2, 3, 4]]), 1)
    assert (e.azimuth.rad2deg() - 40.0).abs().max() < 1.0
    assert e.clean.shape == y.shape and (e.clean[:, 1] - receive_clean(scene)[:, 1]).abs().square().mean() < 0.05


def receive_clean(scene):
    return receive(scene, 200, generator=torch.Generator().manual_seed(1)).clean


@pytest.mark.parametrize(
    ("method", "missing", "message"),
    [
        ("ml", [2], "missing elements need a method without coupling, one of bartlett, .*, found ml"),
        ("music", [8], r"lie in 0\.\.7 and leave two of 8, found \[8\]"),
        ("music", [2, 2], "must be distinct"),
        ("music", [0, 1, 2, 3, 4, 5, 6], "leave two"),
    ],
)
def test_what_cannot_be_completed_is_refused(method, missing, message):
    with pytest.raises(EstimatorError, match=message):
        Completed(make_estimator(method, "ula8"), missing)


def test_what_is_missing_to_complete_is_said(tmp_path, capsys):
    batch = make_batch(torch.randn(1, 7, 2, dtype=torch.complex128))
    with pytest.raises(EstimatorError, match="needs more snapshots than sources or a known noise power, found L = 2"):
        Completed(make_estimator("music", "ula8"), [0])(batch, 2)
    with pytest.raises(EstimatorError, match=r"number of sources must lie in 1\.\.6, found 7"):
        Completed(make_estimator("music", "ula8"), [0])(batch, 7)
    np.savez(tmp_path / "in.npz", snapshots=np.ones((1, 8, 5), complex))
    command = ["estimate", str(tmp_path / "in.npz"), "-o", str(tmp_path / "o.npz"), "--array", "ula8"]
    for extra, message in (
        (["--missing", "2", "--coupling", str(tmp_path / "in.npz")], "expected an .npz file with an array 'coupling'"),
        (["--coupling", "x.npz"], "expected --missing beside --coupling"),
        (["--missing", "two"], "expected a whole number"),
    ):
        try:
            status = main([*command, *extra])
        except SystemExit as error:
            status = error.code
        out = capsys.readouterr()
        assert status == 2 and message in out.err and out.err.count("\n") == 1 and out.out == ""
