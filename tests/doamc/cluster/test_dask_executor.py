"""Tasks on local workers of Dask."""

import os
from itertools import islice

import pytest

from doamc.cluster import Workers, open_executor
from doamc.cluster.executor import TRIES

WORK = "tests.doamc.cluster.work"


@pytest.fixture(scope="module")
def two():
    with open_executor(Workers(2)) as executor:
        yield executor


def test_results_are_those_of_one_process_in_any_order(two):
    assert two.workers == 2
    outcomes = list(two.run(f"{WORK}:double", range(100)))
    assert sorted((o.task, o.result) for o in outcomes) == [(k, 2 * k) for k in range(100)]


def test_workers_are_processes_with_one_thread_each(two):
    told = [o.result for o in two.run(f"{WORK}:environment", map(str, range(6)))]
    assert all(t["threads"] == 1 and t["omp"] == "1" and t["process"] != os.getpid() for t in told)


def test_few_tasks_are_ahead_of_the_workers(two):
    taken = []

    def endless():
        for k in range(10**9):
            taken.append(k)
            yield k

    assert len(list(islice(two.run(f"{WORK}:double", endless()), 20))) == 20
    assert len(taken) <= 20 + 2 * 2 + 2


def test_a_task_that_fails_is_set_aside_and_others_go_on(two, tmp_path):
    (outcome,) = two.run(f"{WORK}:fail", [str(tmp_path / "tries")])
    assert outcome.failure == "ValueError: no good"
    assert (tmp_path / "tries").read_text() == "x" * TRIES
    assert [o.result for o in two.run(f"{WORK}:double", [21])] == [42]


@pytest.mark.slow
def test_a_task_that_kills_its_worker_is_set_aside(two):
    (outcome,) = two.run(f"{WORK}:die", ["now"])
    assert outcome.failure == "its worker died each time, by a fault of native code or for its memory"
    assert [o.result for o in two.run(f"{WORK}:double", [21])] == [42]


@pytest.mark.slow
def test_a_task_that_takes_more_memory_than_a_worker_may_is_set_aside():
    with open_executor(Workers(1, memory_gib=0.5)) as executor:
        (outcome,) = executor.run(f"{WORK}:hog", [1024])
        assert outcome.failure == "its worker died each time, by a fault of native code or for its memory"
