"""The contract of executors, on the one of this process; and how one is opened."""

import sys

import pytest

from doamc.cluster import Workers, open_executor
from doamc.cluster.executor import TRIES, perform
from doamc.errors import ClusterError

WORK = "tests.doamc.cluster.work"


def test_every_task_has_an_outcome():
    with open_executor(Workers()) as executor:
        outcomes = list(executor.run(f"{WORK}:double", range(5)))
    assert {o.task: o.result for o in outcomes} == {k: 2 * k for k in range(5)}
    assert executor.workers == 1


def test_tasks_are_taken_as_they_are_needed():
    taken = []

    def endless():
        for k in range(10**9):
            taken.append(k)
            yield k

    outcomes = open_executor(Workers()).run(f"{WORK}:double", endless())
    assert [next(outcomes).result for _ in range(3)] == [0, 2, 4] and len(taken) == 3


def test_a_task_that_fails_is_tried_three_times_and_says_why(tmp_path):
    (outcome,) = open_executor(Workers()).run(f"{WORK}:fail", [str(tmp_path / "tries")])
    assert outcome.failure == "ValueError: no good" and outcome.result is None
    assert (tmp_path / "tries").read_text() == "x" * TRIES


def test_a_worker_of_another_version_refuses():
    with pytest.raises(ClusterError, match=r"expected workers with doamc 0\.0\.0, found one with"):
        perform("0.0.0", f"{WORK}:double", 1)


@pytest.mark.parametrize(
    ("workers", "message"),
    [
        (Workers(2, "tcp://127.0.0.1:1"), "found both"),
        (Workers(scheduler="127.0.0.1:8786"), "expected tcp://HOST:PORT"),
        (Workers(scheduler="tls://127.0.0.1:8786"), "--tls-ca"),
        (Workers(scheduler="tcp://127.0.0.1:1", patience_s=0.0), "expected a scheduler to answer"),
    ],
)
def test_workers_that_cannot_be_had_are_refused(workers, message):
    with pytest.raises(ClusterError, match=message):
        open_executor(workers)


def test_without_dask_it_says_what_to_install(monkeypatch):
    for name in ("doamc.cluster.dask_workers", "doamc.cluster"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "doamc.cluster.dask_workers", None)
    with pytest.raises(ClusterError, match=r"pip install 'gr-doamc\[scale\]'"):
        open_executor(Workers(2))
