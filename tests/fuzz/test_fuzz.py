"""Some inputs for every target, always the same ones; ``make fuzz`` draws others for an hour."""

import time
from random import Random

import pytest

from doamc.errors import DoamcError
from tests.fuzz import harness
from tests.fuzz.harness import Count, Finding, Hang, Target, judge, kind_of, smaller, watched
from tests.fuzz.targets import NAMES, target

#: of each target; those that take longer have fewer
INPUTS = {
    "command-line": 8, "figure": 4, "weights": 6, "heimdall-stream": 12, "suite-stream": 12, "http": 25, "message": 60,
    "npz": 60,
}  # fmt: skip
#: by their nature refused, or of use; of control replies it is the clock that says
ONE_SIDED = ("bytes", "heimdall-stream", "heimdall-control", "suite-stream")


# An interrupt that falls into a callback of the garbage collection is told of by Python, and the command goes on.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", NAMES)
def test_is_refused_or_of_use(name, tmp_path):
    what, random = target(name), Random(f"{name} 1")
    for _ in range(INPUTS.get(name, 40)):
        judge(what, what.draw(random), tmp_path)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ONE_SIDED])
def test_draws_meet_both_sides(name, tmp_path):
    """A target that refused all, or nothing, would tell little."""
    what, random, found = target(name), Random(f"{name} 2"), set()
    for _ in range(400):
        found.add(judge(what, what.draw(random), tmp_path))
        if len(found) == 2:
            return
    assert found == {False, True}


def _use(data, folder):
    (folder / "left.part").touch() if data == b"l" else None
    if data == b"r":
        raise DoamcError("refused")
    if data == b"q":
        raise DoamcError("")
    if b"x" in data:
        raise ValueError("found")


TOY = Target("toy", lambda random: b"a", _use)


def test_the_harness_tells_findings_from_refusals(tmp_path):
    assert judge(TOY, b"a", tmp_path) and not judge(TOY, b"r", tmp_path)
    for data, error in ((b"l", Finding), (b"q", Finding), (b"x", ValueError)):
        with pytest.raises(error):
            judge(TOY, data, tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_an_input_that_waits_for_ever_is_a_hang(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "PATIENCE_S", 0.2)
    stuck = Target("stuck", lambda random: b"a", lambda data, folder: time.sleep(100))
    with pytest.raises(Hang, match=r"longer than 0\.2 s"):
        watched(stuck, b"a", tmp_path)


def test_a_finding_is_made_smaller(tmp_path):
    data = b"aaaaaaaaaaaaxbbbbbbb"
    with pytest.raises(ValueError) as caught:
        judge(TOY, data, tmp_path)
    assert smaller(TOY, data, tmp_path, kind_of(caught.value)) == b"x"
    assert Count("toy").as_json().startswith('{"target": "toy", "inputs": 0')
