"""Bins grouped by direction: neighbours of two directions, two emitters in one channel, valleys, patches."""

import numpy as np
import torch

from doamc.bands.grouping import group_bins

LENGTH = 1000.0


def steering(turn):
    return np.exp(1j * turn * np.arange(5))


def groups(powers):
    """powers: bin -> list of (phase slope, power over noise)."""
    rng = np.random.default_rng(3)
    white, energy = [], []
    for waves in powers.values():
        y = (rng.standard_normal((5, int(LENGTH))) + 1j * rng.standard_normal((5, int(LENGTH)))) / 2**0.5
        for turn, power in waves:
            s = (rng.standard_normal(int(LENGTH)) + 1j * rng.standard_normal(int(LENGTH))) * (power / 2) ** 0.5
            y = y + steering(turn)[:, None] * s
        white.append(y @ y.conj().T)
        energy.append(sum(p for _, p in waves))
    return group_bins(
        list(powers), torch.from_numpy(np.stack(white)), torch.full((len(powers),), LENGTH, dtype=torch.float64),
        torch.tensor(energy, dtype=torch.float64),
    )  # fmt: skip


def test_bins_of_one_direction_are_one_signal_and_others_another():
    assert groups({3: [(0.3, 5)], 4: [(0.3, 20)], 5: [(-1.2, 2)], 6: [(-1.2, 4)]}) == [[3, 4], [5, 6]]


def test_a_bin_that_holds_both_goes_to_the_stronger():
    assert groups({3: [(0.3, 50)], 4: [(0.3, 3), (-1.2, 2)], 5: [(-1.2, 20)]}) == [[3, 4], [5]]


def test_two_emitters_in_one_channel_are_one_signal():
    assert groups({7: [(0.3, 5), (-1.2, 4)], 8: [(0.3, 4), (-1.2, 5)]}) == [[7, 8]]


def test_neighbours_of_one_site_are_parted_at_a_valley():
    powers = {2: [(0.3, 50)], 3: [(0.3, 60)], 4: [(0.3, 1)], 5: [(0.3, 40)], 6: [(0.3, 50)]}
    cut = groups(powers)
    assert len(cut) == 2 and sorted(cut[0] + cut[1]) == [2, 3, 4, 5, 6]


def test_a_gap_within_a_wide_signal_is_bridged_and_beside_narrow_ones_is_not():
    wide = {k: [(0.3, 5)] for k in (*range(10, 20), *range(22, 32))}
    assert len(groups(wide)) == 1
    assert groups({10: [(0.3, 5)], 13: [(0.3, 5)]}) == [[10], [13]]


def test_a_skirt_belongs_to_what_it_is_the_skirt_of():
    """Of two emitters in one channel, one is wider: beyond the channel it alone is left."""
    assert groups({7: [(0.3, 50), (-1.2, 40)], 8: [(0.3, 50), (-1.2, 40)], 9: [(-1.2, 3)]}) == [[7, 8, 9]]
