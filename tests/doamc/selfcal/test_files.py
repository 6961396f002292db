"""Calibrations as files: back as they were, refused for another array, whole or not at all."""

import json
import math

import pytest
import torch
from safetensors.torch import save_file

from doamc.errors import CalibrationError, RecordingError
from doamc.selfcal.files import load_belief, save_belief
from doamc.selfcal.tracker import CouplingTracker
from doamc.spec import load_spec
from tests.doamc.selfcal.scenes import moving, outside


@pytest.fixture(scope="module")
def tracked():
    world = outside("ula4", 1)
    tracker = CouplingTracker(world.spec)
    for k in range(12):
        tracker.update(world.observe(moving(float(k))))
    return world, tracker


def test_it_comes_back_as_it_was_and_goes_on_from_there(tracked, tmp_path):
    world, tracker = tracked
    save_belief(tmp_path / "c.safetensors", world.spec, tracker.best.belief, tracker.record())
    belief, record = load_belief(tmp_path / "c.safetensors", world.spec)
    assert record == tracker.record() == {"batches": 12, "learnt": 12, "changes": 0}
    assert torch.equal(belief.gathered, tracker.best.belief.gathered)
    assert torch.equal(belief.coupling, tracker.best.coupling)
    other = CouplingTracker(world.spec)
    other.resume(belief, record)
    observed = world.observe(moving(3.3))
    here, there = tracker.update(observed).fit, other.update(observed).fit
    assert torch.equal(here.azimuth, there.azimuth) and torch.equal(here.std, there.std)
    assert other.record() == tracker.record()
    assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"]


def test_what_is_no_calibration_of_this_array_is_refused(tracked, tmp_path):
    world, tracker = tracked
    path = tmp_path / "c.safetensors"
    save_belief(path, world.spec, tracker.best.belief, {})
    with pytest.raises(CalibrationError, match=r"of array ula8 .*found one of 'ula4'"):
        load_belief(path, load_spec("ula8"))
    data = path.read_bytes()
    for bad in (b"", b"x" * 50, data[:-40]):
        path.write_bytes(bad)
        with pytest.raises(CalibrationError, match="not a calibration"):
            load_belief(path, world.spec)
    with pytest.raises(CalibrationError):
        load_belief(tmp_path / "none", world.spec)
    with pytest.raises(RecordingError):
        save_belief(tmp_path / "nowhere" / "c", world.spec, tracker.best.belief, {})


def test_numbers_that_do_not_fit_are_refused(tracked, tmp_path):
    world, tracker = tracked
    belief, path = tracker.best.belief, tmp_path / "c.safetensors"
    head = {"schema": "doamc.selfcal/1", "array": "ula4", "digest": world.spec.digest, "record": {}}
    real = {n: torch.view_as_real(getattr(belief.start, n)).clone() for n in ("mean", "patterns", "projection")}
    whole = real | {"gathered": belief.gathered, "pull": belief.pull}
    for changed, words in (
        ({"pull": belief.pull[:-1].clone()}, "that fit"),
        ({"gathered": belief.gathered[:2].clone()}, "that fit"),
        ({"projection": real["projection"][:1].clone()}, "that fit"),
        ({"mean": torch.ones(2)}, "that fit"),
        ({"patterns": torch.ones(2)}, "that fit"),
        ({"pull": belief.pull * torch.nan}, "finite numbers"),
        ({"projection": real["projection"] * torch.inf}, "finite numbers"),
        ({"mean": torch.ones(4, 4, 2, dtype=torch.int64)}, "finite numbers"),
        ({"gathered": belief.gathered * 1e300}, "numbers up to 1e"),
    ):
        save_file(whole | changed, path, {"doamc": json.dumps(head)})
        with pytest.raises(CalibrationError, match=words):
            load_belief(path, world.spec)
    negative = -2 * torch.eye(len(belief.pull), dtype=torch.float64)
    projection = real["projection"]
    for changed in ({"projection": 0 * projection}, {"projection": -projection}, {"gathered": negative}):
        save_file(whole | changed, path, {"doamc": json.dumps(head)})
        with pytest.raises(CalibrationError, match="a belief over couplings of mean diagonal 1"):
            load_belief(path, world.spec)
    for record in ({"learnt": math.nan}, {"learnt": "x"}, {"batches": -1}, {"learnt": 10**400}, {"changes": []}):
        save_file(whole, path, {"doamc": json.dumps(head | {"record": record})})
        with pytest.raises(CalibrationError, match="counts in the record are expected"):
            load_belief(path, world.spec)
    single = {name: value.float() for name, value in whole.items()}
    save_file(single, path, {"doamc": json.dumps(head)})
    assert load_belief(path, world.spec)[0].mean.dtype == torch.float64
    save_file(whole, path, {"doamc": json.dumps(head | {"schema": "doamc.selfcal/2"})})
    with pytest.raises(CalibrationError, match="schema"):
        load_belief(path, world.spec)
