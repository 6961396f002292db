import numpy as np
import pytest

from doamc.errors import CalibrationError, ImagingError
from doamc.imaging.array_visibilities import array_visibilities, number_of_sources

from .array_scene import circle, circulant, scene

C = circulant(16, 0.3 * np.exp(0.5j), 0.1j)
TWO = scene(circle(), [20.0, 110.0], 40.0, [1.0, 0.5], coupling=C)


def test_coupling_and_noise_are_taken_out_exactly():
    ideal = scene(circle(), [20.0, 110.0], 40.0, [1.0, 0.5], noise=0.0)
    found = array_visibilities(TWO.covariance, 1000, 0.1, C)
    np.testing.assert_allclose(found.values, ideal.covariance, atol=1e-12)
    w = np.linalg.inv(C)
    np.testing.assert_allclose(found.total - found.values, 0.1 * w @ w.conj().T, atol=1e-12)
    left = array_visibilities(TWO.covariance, 1000, 0.1)
    np.testing.assert_allclose(left.values, TWO.covariance - 0.1 * np.eye(16), atol=1e-12)


def test_the_noise_power_is_that_of_the_small_eigenvalues():
    r = TWO.sample(20_000)
    assert number_of_sources(r, 20_000) == 2
    # 14 noise eigenvalues of 20 000 snapshots: a relative deviation of 1 / sqrt(280 000)
    assert array_visibilities(r, 20_000).noise_power == pytest.approx(0.1, rel=4 / 280_000**0.5)


@pytest.mark.parametrize(
    "covariance, options",
    [
        (np.ones((2, 3)), {}), (np.eye(1), {}), (np.full((4, 4), np.nan), {}), (np.triu(np.ones((4, 4))), {}),
        (-np.eye(4), {}), (np.eye(4), {"snapshots": 0}), (np.eye(4), {"noise_power": -1.0}),
        (np.eye(4), {"coupling": np.eye(3)}), (np.eye(4), {"n_sources": 4}),
    ],
)  # fmt: skip
def test_what_is_no_covariance_is_refused(covariance, options):
    with pytest.raises(ImagingError, match="expected"):
        array_visibilities(covariance, **({"snapshots": 100} | options))


def test_a_coupling_that_cannot_be_inverted_is_refused():
    with pytest.raises(CalibrationError):
        array_visibilities(np.eye(4), 100, 0.1, np.ones((4, 4)))
