"""Method ``self-calibrating`` behind the interface of all methods."""

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from doamc.arrays.steering import steering
from doamc.errors import CalibrationError, EstimatorError, RecordingError
from doamc.estimates import make_message, validate
from doamc.estimates.message_values import message_values
from doamc.estimators import make_estimator
from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.selfcal.scenes import World, moving, outside


def received(world: World, batches: int, length: int = 128, seed: int = 0) -> torch.Tensor:
    """Snapshots (B, N, L) of the moving pair at 20 dB, ten batches a second."""
    generator = torch.Generator().manual_seed(seed)
    out = []
    n = world.spec.n_elements
    for k in range(batches):
        z = torch.view_as_complex(torch.randn(2 + n, length, 2, generator=generator, dtype=torch.float64))
        clean = world.coupling @ steering(world.spec.positions, moving(k / 10)).to(z.dtype) @ z[:2]
        out.append((clean + 0.1 * z[2:]) / math.sqrt(2))
    return torch.stack(out)


@pytest.fixture(scope="module")
def world():
    return outside("ula4", 3, -15.0)


@pytest.fixture(scope="module")
def snapshots(world):
    return received(world, 16)


def test_observations_together_are_observations_one_after_the_other(world, snapshots):
    together = make_estimator("self-calibrating", world.spec)
    whole = together(make_batch(snapshots), 2)
    alone = make_estimator("self-calibrating", world.spec)
    parts = [alone(make_batch(y), 2) for y in snapshots]
    assert torch.equal(whole.azimuth, torch.cat([p.azimuth for p in parts]))
    assert torch.equal(whole.coupling, torch.cat([p.coupling for p in parts]))
    assert together.state() == alone.state() and together.state()["batches"] == 16


def test_figures_are_those_of_a_posterior(world, snapshots):
    estimator = make_estimator("self-calibrating", world.spec)
    e = estimator(make_batch(snapshots), 2)
    assert (e.azimuth[:, 1:] > e.azimuth[:, :-1]).all()
    torch.testing.assert_close(e.interval.mean(-1), e.azimuth)
    torch.testing.assert_close(e.interval.diff(dim=-1)[..., 0], 2 * 1.6448536269514722 * e.std)
    assert (e.mode_share.sum(1) <= 1 + 1e-9).all() and torch.equal(e.mode_azimuth[:, 0], e.azimuth)
    torch.testing.assert_close(e.coupling.diagonal(dim1=1, dim2=2).mean(1), torch.ones(16, dtype=torch.complex128))
    # the last ones: powers of 0 dB within 4 / sqrt(L), noise of -20 dB within 4 / sqrt((N - P) L)
    assert float((10 * e.power[-4:].log10()).abs().max()) < 2.0
    assert float((10 * e.noise_power[-4:].log10() + 20).abs().max()) < 10 * math.log10(1 + 4 / math.sqrt(2 * 128))
    assert (e.coupling_std[-1] < e.coupling_std[0] + 1e-12).all()
    message = make_message(
        seq=0, time=0.0, sample_time=None, frequency_hz=None, array="ula4", method=estimator.name, snapshots=128,
        latency_ms={}, dropped_batches=0, **message_values(e, 3, estimator.state()),
    )  # fmt: skip
    validate(message)
    assert message["calibration"]["learnt"] == 16 and 0 < message["calibration"]["coupling_std"] < 0.2


def test_the_level_is_given_back_and_changes_nothing_else(world, snapshots):
    e = make_estimator("self-calibrating", world.spec)(make_batch(snapshots[:4]), 2)
    loud = make_estimator("self-calibrating", world.spec)(make_batch(1000j * snapshots[:4]), 2)
    torch.testing.assert_close(loud.azimuth, e.azimuth, atol=1e-6, rtol=0)
    torch.testing.assert_close(loud.power, 1e6 * e.power, rtol=1e-4, atol=0)
    torch.testing.assert_close(loud.noise_power, 1e6 * e.noise_power, rtol=1e-4, atol=0)


def test_a_known_noise_power_is_taken(world, snapshots):
    e = make_estimator("self-calibrating", world.spec)(make_batch(snapshots[:3], noise_power=0.01), 2)
    torch.testing.assert_close(e.noise_power, torch.full((3,), 0.01, dtype=torch.float64))


def test_the_number_of_sources_may_change_and_be_unknown(world, snapshots):
    estimator = make_estimator("self-calibrating", world.spec)
    generator = torch.Generator().manual_seed(1)
    z = torch.view_as_complex(torch.randn(1 + 4, 128, 2, generator=generator, dtype=torch.float64)) / math.sqrt(2)
    a = steering(world.spec.positions, torch.tensor([0.2], dtype=torch.float64)).to(z.dtype)
    one = world.coupling @ a @ z[:1] + 0.1 * z[1:]
    mixed = torch.stack([snapshots[0], one, snapshots[1], one])
    e = estimate_batch(estimator, make_batch(mixed), None)
    assert e.n_sources.tolist() == [2, 1, 2, 1] and estimator.state()["batches"] == 4
    assert float(e.azimuth[3, 0]) == pytest.approx(0.2, abs=math.radians(3.0))


def test_a_calibration_file_is_kept_and_gone_on_with(world, snapshots, tmp_path):
    path = tmp_path / "roof.safetensors"
    first = open_estimator(f"self-calibrating:calibration={path}", world.spec, 2, "cpu", 0)
    before = first(make_batch(snapshots), 2)
    first.close()
    again = open_estimator("self-calibrating", world.spec, 2, "cpu", 0, calibration=str(path))
    assert again.state() == first.state()
    after = again(make_batch(snapshots[:4]), 2)
    error = [world.nmse_db(e.coupling[0]) for e in (before, after)]
    assert error[1] < error[0] - 3 and (after.std < before.std[:4]).all()
    with pytest.raises(CalibrationError, match="of array ula8"):
        make_estimator("self-calibrating", "ula8", calibration=str(path))
    with pytest.raises(RecordingError, match="no folder"):
        make_estimator("self-calibrating", "ula4", calibration=str(tmp_path / "none" / "c"))


def test_the_end_of_the_program_writes_the_file_too(snapshots, tmp_path):
    np.save(tmp_path / "y.npy", snapshots[:2].numpy())
    code = (
        "import numpy as np, torch\nfrom doamc.estimators import make_estimator\n"
        "from doamc.snapshots import make_batch\n"
        "e = make_estimator('self-calibrating', 'ula4', calibration='c.safetensors')\n"
        "e(make_batch(torch.from_numpy(np.load('y.npy'))), 2)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=60)
    kept = make_estimator("self-calibrating", "ula4", calibration=str(tmp_path / "c.safetensors"))
    assert kept.state()["batches"] == 2


def test_what_cannot_be_is_said(world, snapshots):
    with pytest.raises(EstimatorError, match="more snapshots than sources"):
        make_estimator("self-calibrating", world.spec)(make_batch(snapshots[:, :, :2]), 2)
    with pytest.raises(EstimatorError, match="memory_batches"):
        make_estimator("self-calibrating", world.spec, memory_batches=0.0)
    with pytest.raises(EstimatorError, match="takes no calibration"):
        open_estimator("music", world.spec, 2, "cpu", 0, calibration="x")


def poisoned(y: torch.Tensor) -> list[torch.Tensor]:
    """What no array receives, of one good observation (N, L)."""
    sample, impulse = y.clone(), torch.zeros_like(y)
    sample[1, 2] = 1e20
    impulse[:, 0] = 1.0
    return [1e20 * y, sample, impulse, torch.ones_like(y), y[:1].expand_as(y).contiguous()]


@pytest.mark.parametrize("kind", range(5))
def test_poisoned_batches_cost_no_good_ones(world, snapshots, kind):
    """Every fourth batch is poisoned, from the first on; all good ones are estimated, also after alarms."""
    estimator, made = make_estimator("self-calibrating", world.spec), 0
    for k, y in enumerate(snapshots.repeat(2, 1, 1)[:24]):
        if k % 4 == 0:
            try:
                estimator(make_batch(poisoned(y)[kind]), 2)
            except EstimatorError:
                continue
        else:
            e = estimator(make_batch(y), 2)
            assert torch.isfinite(e.azimuth).all() and torch.isfinite(e.coupling).all()
            made += 1
    assert made == 18 and math.isfinite(estimator.state()["coupling_std"])


def test_five_poisoned_batches_in_a_row_cost_no_good_ones():
    """Without noise their information is beyond what can be factorised at another coupling, which an alarm tries."""
    spec = load_spec("ula8")
    generator = torch.Generator().manual_seed(1)
    scene = draw_scene(spec, 40, 2, 15.0, generator)
    scene = replace(scene, theta=scene.theta[:1].expand(40, -1))
    received = receive(scene, 64, "gaussian", generator)
    estimator, made = make_estimator("self-calibrating", spec), []
    for k in range(40):
        if 20 <= k < 25:
            try:
                estimator(make_batch(received.clean[k]), 2)
            except EstimatorError:
                continue
        else:
            made.append(estimator(make_batch(received.snapshots[k]), 2).azimuth[0] - scene.azimuth[k])
    assert len(made) == 35
    assert float(torch.stack(made[-15:]).abs().median()) < math.radians(0.5)  # 0.12 without the poison
