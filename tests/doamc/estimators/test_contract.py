"""What every estimator owes its callers, whatever the method; a new method is one more line in `cases.CASES`."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from benchmarks.yardsticks.stochastic_bound import crb_of_scene

from doamc.errors import EstimatorError
from doamc.estimators import METHODS, Estimator, estimator_class, make_estimator
from doamc.scenes import receive
from doamc.snapshots import make_batch
from tests.doamc.estimators.cases import CASES
from tests.doamc.helpers.scenes import angle_error, observed

L, SNR_DB = 200, 20.0


def marked(case, *values):
    """A parameter of a test, among the slow ones where its case is."""
    return pytest.param(case, *values, marks=[pytest.mark.slow] if case.slow else [])


@cache
def found(case, n_sources):
    """Scenes of a case, and what its method makes of their batch; three tests look at it."""
    scene, batch = observed(case.spec, case.scenes, n_sources, L, SNR_DB)
    return scene, make_estimator(case.method, case.spec, **dict(case.options))(batch, n_sources)


@pytest.mark.parametrize("case", [marked(c) for c in CASES], ids=str)
class TestContract:
    @staticmethod
    def made(case):
        spec = case.spec
        return spec, make_estimator(case.method, spec, **dict(case.options))

    def test_name_and_summary_are_what_the_list_says(self, case):
        cls = estimator_class(case.method)
        assert issubclass(cls, Estimator) and cls.name == case.method
        assert 10 < len(cls.summary) < 100 and "\n" not in cls.summary

    @pytest.mark.parametrize("n_sources", [1, 2])
    @pytest.mark.parametrize("few", [True, False], ids=["few", "many"])
    def test_shapes_types_and_order(self, case, n_sources, few):
        spec, estimator = self.made(case)
        _, batch = observed(spec, 6, n_sources, case.min_snapshots if few else 50, SNR_DB)
        out = estimator(batch, n_sources)
        n = spec.n_elements
        assert out.azimuth.shape == out.std.shape == out.power.shape == (6, n_sources)
        assert out.azimuth.dtype == out.std.dtype == out.power.dtype == out.noise_power.dtype == torch.float64
        assert out.coupling.shape == (6, n, n) and out.coupling.dtype == torch.complex128
        assert out.noise_power.shape == (6,)
        assert out.n_sources.tolist() == [n_sources] * 6 and out.n_sources.dtype == torch.int64
        assert torch.isfinite(out.azimuth).all() and (out.azimuth.diff(dim=1) >= 0).all()
        assert (out.power > 0).all() and (out.noise_power > 0).all()
        assert (out.std.isnan() | (out.std > 0)).all()
        assert case.std is None or bool(out.std.isnan().any()) is not case.std
        assert (out.coupling.diagonal(dim1=1, dim2=2).mean(1) - 1).abs().max() < 1e-9

    def test_an_item_does_not_depend_on_the_rest_of_the_batch(self, case):
        spec, estimator = self.made(case)
        _, batch = observed(spec, 7, 2, 30, 10.0)
        whole = estimator(batch, 2)
        for index in (0, 3, 6):
            alone = estimator(batch.select(slice(index, index + 1)), 2)
            for field in ("azimuth", "std", "power", "coupling", "noise_power"):
                one, same = getattr(alone, field)[0], getattr(whole, field)[index]
                assert torch.allclose(one, same, rtol=1e-5, atol=1e-6, equal_nan=True), field

    def test_the_batch_is_left_as_it_was(self, case):
        spec, estimator = self.made(case)
        _, batch = observed(spec, 3, 1, 30, 10.0)
        before = batch.snapshots.clone(), batch.covariance.clone()
        estimator(batch, 1)
        assert torch.equal(before[0], batch.snapshots) and torch.equal(before[1], batch.covariance)

    def test_the_receivers_gain_changes_powers_only(self, case):
        spec, estimator = self.made(case)
        _, batch = observed(spec, 5, 2, 50, SNR_DB)
        plain, quiet = estimator(batch, 2), estimator(make_batch(1e-3 * batch.snapshots), 2)
        assert angle_error(quiet.azimuth, plain.azimuth).abs().max() < 1e-5
        assert torch.allclose(1e6 * quiet.power, plain.power, rtol=1e-3)
        assert torch.allclose(1e6 * quiet.noise_power, plain.noise_power, rtol=1e-3)

    def test_standard_deviations_are_those_of_the_errors(self, case):
        scene, out = found(case, 2)
        if not case.std:
            assert case.std is None or out.std.isnan().all()
            return
        covered = float((angle_error(out.azimuth, scene.azimuth).abs() < 1.645 * out.std).double().mean())
        if case.coupled:  # outliers and the shape of the misfit are their own tests' matter
            assert 0.5 < covered <= 1.0
        else:
            assert 0.86 < covered < 0.94  # 0.9, standard error 0.012

    def test_powers_and_noise_power(self, case):
        """One source has relative deviation 1 / sqrt(L) about, the noise 1 / sqrt(L (N - P)).

        Where the coupling is estimated too, both are held to two sources and to 20 % in the median.
        """
        spec = case.spec
        scene, out = found(case, 2 if case.coupled else 1)
        if case.coupled:
            assert 0.8 < float((out.power / scene.power).median()) < 1.2
            assert 0.8 < float((out.noise_power / scene.noise_power).median()) < 1.2
            return
        relative = (out.power / scene.power).numpy()
        assert abs(relative.mean() - 1) < 5 / math.sqrt(L * case.scenes)
        assert relative.std() == pytest.approx(1 / math.sqrt(L), rel=0.2)
        noise = (out.noise_power / scene.noise_power).numpy()
        # the signal takes up noise of its own: the mean is low by 1 / L
        assert abs(noise.mean() - 1) < 1 / L + 5 / math.sqrt(L * (spec.n_elements - 1) * case.scenes)
        assert noise.std() == pytest.approx(1 / math.sqrt(L * (spec.n_elements - 1)), rel=0.2)

    def test_a_known_noise_power_is_used(self, case):
        spec, estimator = self.made(case)
        scene, batch = observed(spec, 4, 1, 20, SNR_DB)
        told = make_batch(batch.snapshots, noise_power=scene.noise_power)
        assert torch.allclose(estimator(told, 1).noise_power, scene.noise_power, rtol=1e-9, atol=0)

    def test_too_many_sources_and_wrong_channels_are_refused(self, case):
        spec, estimator = self.made(case)
        n = spec.n_elements
        _, batch = observed(spec, 2, 1, 50, SNR_DB)
        for wrong in (0, -1, n, n + 3):
            with pytest.raises(EstimatorError, match=rf"number of sources must lie in 1..{n - 1}, found {wrong}"):
                estimator(batch, wrong)
        other = make_batch(torch.ones(2, n + 1, 5, dtype=torch.complex128))
        with pytest.raises(EstimatorError, match=f"{spec.name} has {n} elements, found {n + 1} channels"):
            estimator(other, 1)


@pytest.mark.parametrize(("case", "n_sources"), [marked(c, p) for c in CASES for p in c.sources], ids=lambda v: str(v))
def test_accuracy_against_the_bound(case, n_sources):
    """RMSE in units of each scene's own bound; 300 to 600 errors leave it uncertain by 4 % at most."""
    limit = {1: case.one_source, 2: case.two_sources}[n_sources]
    scene, out = found(case, n_sources)
    error = angle_error(out.azimuth, scene.azimuth).numpy()
    ratio = math.sqrt(np.mean((error / crb_of_scene(scene, L)) ** 2))
    if limit is None:  # in the right place in the median, and not better than a bound that knows more
        assert np.median(np.abs(error)) < math.radians(3.0)
        assert ratio > 0.85
    else:
        assert 0.85 < ratio < limit


@pytest.mark.parametrize("case", [c for c in CASES if not c.coupled], ids=str)
def test_one_source_without_noise_is_found_exactly(case):
    """To 1e-4 degrees."""
    spec = case.spec
    scene, _ = observed(spec, 50, 1, 20, SNR_DB)
    clean = receive(scene, 20, generator=torch.Generator().manual_seed(2)).clean
    error = angle_error(make_estimator(case.method, spec)(make_batch(clean), 1).azimuth, scene.azimuth)
    assert torch.rad2deg(error).abs().max() < 1e-4


@pytest.mark.parametrize("name", ["magic", "", "MUSIC"])
def test_an_unknown_method_lists_the_known_ones(name):
    with pytest.raises(EstimatorError, match=f"method must be one of bartlett, capon, music.*found '{name}'"):
        make_estimator(name, "ula8")


def test_every_case_is_a_registered_method():
    assert {c.method for c in CASES} <= set(METHODS)
