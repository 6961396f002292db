import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.yardsticks.stochastic_bound import one_source_ula_std
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.estimators import make_estimator
from doamc.estimators.esprit import total_least_squares_rotation
from doamc.scenes import receive
from doamc.snapshots import make_batch
from tests.doamc.helpers.scenes import edited_spec, fixed_scene, uncoupled_spec


@pytest.mark.parametrize("n", [4, 8])
def test_one_source_has_the_textbook_efficiency(n):
    """var / CRB = N (N + 1) / (6 (N - 1)) at high SNR: r = (e_N - e_1) / (N - 1) in first-order perturbation."""
    spec = uncoupled_spec(f"ula{n}")
    scene = fixed_scene(spec, [20.0], 20.0, 2000)
    batch = make_batch(receive(scene, 100, generator=torch.Generator().manual_seed(4)).snapshots)
    out = make_estimator("esprit", spec)(batch, 1)
    spread = float((out.azimuth - scene.azimuth).square().mean().sqrt())
    expected = math.sqrt(n * (n + 1) / (6 * (n - 1))) * one_source_ula_std(n, 0.5, math.radians(20), 1, 0.01, 100)
    assert spread == pytest.approx(expected, rel=0.06)  # 2000 runs: 1.6 % standard error
    assert float(out.std.median()) == pytest.approx(expected, rel=0.05)


def test_standard_deviations_of_two_unlike_sources_by_monte_carlo():
    """10 degrees apart, the second 10 dB weaker: two different deviations, each to be met."""
    spec = uncoupled_spec("ula8")
    scene = fixed_scene(spec, [5.0, 15.0], 15.0, 1000)
    scene = replace(scene, power=scene.power * torch.tensor([1.0, 0.1]))
    batch = make_batch(receive(scene, 400, generator=torch.Generator().manual_seed(6)).snapshots)
    out = make_estimator("esprit", spec)(batch, 2)
    spread = (out.azimuth - scene.azimuth).square().mean(0).sqrt()
    assert spread[1] > 2 * spread[0]
    assert torch.allclose(out.std.median(0)[0], spread, rtol=0.08)  # 1000 runs: 2.2 % each way


@settings(max_examples=30)
@given(
    sines=st.lists(st.integers(-80, 80), min_size=1, max_size=4, unique=True),
    seed=st.integers(0, 2**31),
)
def test_rotation_of_any_basis_of_the_steering_vectors_has_their_phases(sines, seed):
    """E = A T for any T: Psi = T^-1 Phi T, so its eigenvalues are exp(j omega). Sines are 0.01 apart at least."""
    rng = np.random.default_rng(seed)
    omega = np.sort(np.pi * 0.1 * np.unique(np.round(np.array(sines) / 10)))
    basis, _ = np.linalg.qr(np.exp(1j * np.arange(8)[:, None] * omega))
    p = len(omega)
    unitary, _ = np.linalg.qr(rng.normal(size=(p, p)) + 1j * rng.normal(size=(p, p)))
    rotation = total_least_squares_rotation(torch.from_numpy(basis @ unitary)[None])[0].numpy()
    found = np.linalg.eigvals(rotation)
    assert np.allclose(np.sort(np.angle(found)), omega, atol=1e-7)
    assert np.allclose(np.abs(found), 1, atol=1e-7)


def test_as_many_sources_as_the_subarray_has_elements():
    """P = N - 1 leaves one noise direction; still exact without noise."""
    spec = edited_spec("ula4", coupling={"magnitude": [[0, 0]]}, sources={"count": [1, 3]})
    scene = fixed_scene(spec, [-40.0, 0.0, 35.0], 20.0)
    clean = receive(scene, 50, generator=torch.Generator().manual_seed(5)).clean
    found = torch.rad2deg(make_estimator("esprit", spec)(make_batch(clean), 3).azimuth)[0]
    assert found.tolist() == pytest.approx([-40.0, 0.0, 35.0], abs=1e-6)
