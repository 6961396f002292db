import math

import pytest
import torch

from doamc.estimators.estimates import Estimates
from doamc.snapshots import make_batch
from doamc.trials.mismatch import ROWS, Score, draw_trial

SHORT = [name for name, row in ROWS.items() if row.longest <= 2000]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", SHORT)
def test_a_row_makes_batches_that_methods_take(name):
    trial = ROWS[name].make(2, generator())
    assert make_batch(trial.snapshots, trial.spec.n_elements).size == 2
    assert trial.scene.azimuth.shape[0] == 2 and (trial.told is None or trial.told >= 1)


def test_memory_of_a_part_is_bounded_whatever_the_length():
    assert all(row.part * row.longest <= 400_000 for row in ROWS.values())


def test_the_model_itself_has_the_covariance_of_its_scene():
    trial = draw_trial(1, generator(), snapshots=100_000)
    covariance = trial.snapshots @ trial.snapshots.mH / 100_000
    # entries of a sample covariance are off by power / sqrt(L), 0.3 %
    assert (covariance - trial.scene.covariance).abs().max() < 0.03 * covariance.abs().max()


def test_a_wild_sample_spoils_one_sample_of_one_channel():
    plain, wild = draw_trial(3, generator()), ROWS["wild-sample-60"].make(3, generator())
    changed = (wild.snapshots - plain.snapshots).abs() > 1e-9
    assert changed.sum() == 3 and changed[:, 3, 50].all()
    assert torch.allclose((wild.snapshots - plain.snapshots)[:, 3, 50].abs(), torch.tensor(1000.0).double())


def test_alpha_stable_noise_has_the_tail_of_its_index():
    trial = ROWS["stable-1.5"].make(60, generator())
    size = (trial.noise / trial.sigma).abs().flatten()
    # P(|n| > x) falls as x^-alpha: from 10 to 100 by 10^1.5 = 31.6, here of some 400 samples to some 13
    near, far = ((size > x).sum().item() for x in (10.0, 100.0))
    assert 18 < near / far < 60


def test_a_near_emitter_far_away_is_a_plane_wave():
    from doamc.trials.mismatch.emitters import near_field

    far, plane = near_field(2, generator(), wavelengths=1e6), draw_trial(2, generator(), sources=1)
    ratio = far.clean[:, :, 0] / plane.clean[:, :, 0]
    assert torch.allclose(ratio / ratio[:, :1], torch.ones_like(ratio), atol=1e-4)


def estimates(azimuth_deg, std_deg):
    azimuth, std = (torch.tensor(x, dtype=torch.float64).deg2rad() for x in (azimuth_deg, std_deg))
    b, p = azimuth.shape
    eye = torch.eye(2, dtype=torch.complex128).expand(b, 2, 2)
    return Estimates(azimuth, std, torch.ones(b, p), eye, torch.ones(b), torch.full((b,), p))


def test_scores_of_estimates_that_are_known():
    score = Score()
    true = torch.tensor([[10.0, 20.0], [10.0, 20.0]]).double().deg2rad()
    score.add(true, estimates([[10.5, 20.0, 50.0], [16.0, math.nan, math.nan]], [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]))
    result = score.result()
    assert (result["hits"], result["phantoms"], result["missed"]) == (0.5, 0.5, 1)
    # errors 0.5, 0, and 16 belongs to 20: -4
    assert result["rmse_deg"] == pytest.approx(math.sqrt((0.25 + 16) / 3), rel=5e-3)
    assert result["cover"] == pytest.approx(2 / 3, abs=1e-3)
