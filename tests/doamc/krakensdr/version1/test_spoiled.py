"""What is wrong with frames that an emulator spoils, and that no other fault touches them."""

import numpy as np
import pytest

from doamc.krakensdr.version1.frame import SYNC_WORD, Header
from doamc.krakensdr.version1.spoiled import spoiled

HEADER, SAMPLES = Header(sampling_freq=1000, cpi_length=8), np.ones((5, 8), np.complex64)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize("fault", [None, "drop", "truncate", "stall"])
def test_other_faults_leave_the_frame_as_it_is(fault, rng):
    header, samples = spoiled(HEADER, SAMPLES, fault, rng)
    assert header.usable and header == HEADER and samples is SAMPLES


def test_a_frame_without_a_start_has_another_word(rng):
    header, samples = spoiled(HEADER, SAMPLES, "bad-sync", rng)
    assert header.sync_word != SYNC_WORD and samples is SAMPLES


def test_a_frame_of_another_shape_has_as_many_channels_as_it_says(rng):
    found = {len(spoiled(HEADER, SAMPLES, "channels", rng)[1]) for _ in range(20)}
    assert found == {4, 6}
    header, samples = spoiled(HEADER, SAMPLES, "channels", rng)
    assert header.active_ant_chs == len(samples)


def test_no_frame_out_of_sync_may_be_used(rng):
    kinds = [spoiled(HEADER, SAMPLES, "unsynchronised", rng) for _ in range(40)]
    assert not any(header.usable for header, _ in kinds)
    assert len({(h.frame_type, h.sync_state, h.delay_sync_flag) for h, _ in kinds}) == 4
    assert all(samples.shape == (5, header.cpi_length) for header, samples in kinds)
