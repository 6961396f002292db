"""Which GPU a worker takes."""

import pytest

from doamc.cluster.devices import numbered, own_device


@pytest.mark.parametrize(("name", "number"), [("3", 3), ("host-a-12", 12), ("SLURMCluster-0-1", 1), ("only", 0)])
def test_the_last_number_of_a_worker_counts(name, number):
    assert numbered(name) == number


@pytest.mark.parametrize("device", ["cpu", "cuda:1", "cuda"])
def test_outside_of_a_worker_a_device_is_what_was_asked(device):
    assert own_device(device) == device
