"""How many snapshots of a batch a hypothesis counts."""

import pytest
import torch

from doamc.posterior.levels import MOST_INFORMATION, level_of
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import observed


@pytest.mark.parametrize(("array", "snr_db", "all_count"), [("kraken5", 60.0, False), ("kraken5", 20.0, True),
                                                            ("dipole8", 60.0, True), ("ula8", 60.0, True)])  # fmt: skip
def test_snapshots_count_up_to_what_chains_can_use(array, snr_db, all_count):
    spec = load_spec(array)
    _, batch = observed(spec, 3, 2, 1000, snr_db)
    length = level_of(spec, batch, 2, torch.device("cpu")).length
    assert (length == 1000).all() if all_count else (length < 100).all()
    if not all_count:  # two sources of up to 0 dB at five elements, 60 dB above the noise
        assert (length > MOST_INFORMATION / (4 * 10 * 1e6)).all()
