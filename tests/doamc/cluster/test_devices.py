"""Which GPU a worker takes."""

import pytest

from doamc.cluster import Workers, open_executor
from doamc.cluster.devices import numbered, own_device


@pytest.mark.parametrize(("name", "number"), [("3", 3), ("host-a-12", 12), ("SLURMCluster-0-1", 1), ("only", 0)])
def test_the_last_number_of_a_worker_counts(name, number):
    assert numbered(name) == number


@pytest.mark.parametrize("device", ["cpu", "cuda:1", "cuda"])
def test_outside_of_a_worker_a_device_is_what_was_asked(device):
    assert own_device(device) == device


@pytest.mark.slow
def test_each_worker_has_a_device_of_its_own():
    """Three workers of a machine that says it has three GPUs; there is none here, so nothing is put on them."""
    with open_executor(Workers(3)) as executor:
        told = {tuple(o.result) for o in executor.run("tests.doamc.cluster.work:device", [3] * 60)}
        assert {device for _, device in told} == {"cuda:0", "cuda:1", "cuda:2"} and len(told) == 3
        one = {o.result[1] for o in executor.run("tests.doamc.cluster.work:device", [1] * 6)}
        assert one == {"cuda"}
