"""Channels and masks in bins."""

import pytest

from doamc.bands.channels import Channel, Watch
from doamc.errors import SnapshotError
from tests.doamc.bands.captures import CENTRE_HZ, grid


def test_a_channel_has_the_bins_that_lie_in_it():
    g = grid()  # bins of 6 kHz, 20 below the middle
    assert Channel(CENTRE_HZ, 12e3).bins(g) == [19, 20]
    assert Channel(CENTRE_HZ + 3e3, 1e3).bins(g) == [20]
    assert Channel(CENTRE_HZ - 120e3 + 500, 1e3).bins(g) == [0]
    assert Channel(CENTRE_HZ + 120e3 - 500, 1e3).bins(g) == [39]


def test_a_channel_outside_the_band_is_refused():
    with pytest.raises(SnapshotError, match="299880000 to 300120000"):
        Channel(CENTRE_HZ + 120e3, 12e3).bins(grid())


def test_a_mask_hides_every_bin_that_it_touches():
    watch = Watch(grid(), masks=((CENTRE_HZ - 1.0, CENTRE_HZ + 6001.0),))
    assert (~watch._open).nonzero()[:, 0].tolist() == [19, 20, 21]
