import numpy as np
import pytest
import torch

from doamc.errors import EstimatorError
from doamc.estimators import make_estimator
from doamc.estimators.smoothing import forward_backward, spatial_smooth
from doamc.scenes import receive
from doamc.snapshots import make_batch
from tests.doamc.helpers.scenes import angle_error, fixed_scene, observed, uncoupled_spec


def test_forward_backward_by_matrices():
    _, batch = observed(uncoupled_spec("ula8"), 3, 2, 10, 5.0)
    j = np.fliplr(np.eye(8))
    for ours, r in zip(forward_backward(batch.covariance).numpy(), batch.covariance.numpy(), strict=True):
        assert np.allclose(ours, (r + j @ r.conj() @ j) / 2)


def test_forward_backward_keeps_the_model_covariance_of_a_symmetric_array():
    """Uncorrelated sources on a uniform line: R is Toeplitz, so persymmetric, and averaging changes nothing."""
    scene, _ = observed(uncoupled_spec("ula8"), 3, 2, 10, 5.0)
    assert torch.allclose(forward_backward(scene.covariance), scene.covariance, atol=1e-12)


def test_spatial_smoothing_by_loops():
    _, batch = observed(uncoupled_spec("ula8"), 2, 2, 10, 5.0)
    r = batch.covariance.numpy()
    expected = sum(r[:, k : k + 6, k : k + 6] for k in (0, 1, 2)) / 3
    assert np.allclose(spatial_smooth(batch.covariance, 6).numpy(), expected)
    assert torch.equal(spatial_smooth(batch.covariance, 8), batch.covariance)


@pytest.mark.parametrize("subarray", [0, 9])
def test_impossible_subarrays_are_refused(subarray):
    with pytest.raises(EstimatorError, match=rf"a subarray must have 1..8 elements, found {subarray}"):
        spatial_smooth(torch.eye(8, dtype=torch.complex128), subarray)


@pytest.mark.parametrize("n_sources", [2, 3])
def test_smoothing_restores_the_rank_of_coherent_paths(n_sources):
    spec = uncoupled_spec("ula8")
    scene, _ = observed(spec, 20, n_sources, 10, 20.0)
    clean = make_batch(receive(scene, 30, "coherent", torch.Generator().manual_seed(1)).clean).covariance
    before = torch.linalg.eigvalsh(clean)
    after = torch.linalg.eigvalsh(spatial_smooth(forward_backward(clean), 6))
    assert (before[:, -2] < 1e-10 * before[:, -1]).all()
    assert (after[:, -n_sources] > 1e-6 * after[:, -1]).all()
    assert (after[:, -n_sources - 1] < 1e-10 * after[:, -1]).all()


def test_coherent_paths_are_resolved_where_music_fails():
    spec = uncoupled_spec("ula8")
    scene = fixed_scene(spec, [-20.0, 15.0], 20.0, 200)
    batch = make_batch(receive(scene, 100, "coherent", torch.Generator().manual_seed(2)).snapshots)
    good = {}
    for method in ("music-smoothed", "music"):
        error = torch.rad2deg(angle_error(make_estimator(method, spec)(batch, 2).azimuth, scene.azimuth))
        good[method] = float((error.abs() < 2).all(1).double().mean())
    assert good["music-smoothed"] > 0.98
    assert good["music"] < 0.7  # rank one: the second null is wherever the noise puts it


def test_one_snapshot_of_two_sources_is_enough():
    """One snapshot is coherent by nature: six smoothed vectors span the two directions."""
    spec = uncoupled_spec("ula8")
    scene = fixed_scene(spec, [-20.0, 25.0], 40.0, 100)
    batch = make_batch(receive(scene, 1, "constant-modulus", torch.Generator().manual_seed(3)).snapshots)
    error = torch.rad2deg(angle_error(make_estimator("music-smoothed", spec)(batch, 2).azimuth, scene.azimuth))
    assert (error.abs() < 2).double().mean() > 0.97


@pytest.mark.parametrize(("n_sources", "subarray"), [(6, None), (7, None), (2, 2), (3, 8), (2, 9)])
def test_more_sources_than_smoothing_can_tell_are_refused(n_sources, subarray):
    spec = uncoupled_spec("ula8")
    _, batch = observed(spec, 1, 1, 20, 20.0)
    with pytest.raises(EstimatorError, match=f"cannot resolve {n_sources} sources; it takes at most 5"):
        make_estimator("music-smoothed", spec, subarray=subarray)(batch, n_sources)
