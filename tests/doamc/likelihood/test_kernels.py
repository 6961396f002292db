"""The compiled loops against the tensor operations that they replace on the CPU."""

import numpy as np
import pytest
import torch

from doamc.likelihood.compiled import Native
from doamc.likelihood.fisher import information, prior_precision
from doamc.likelihood.kernels import Kernels, open_library
from doamc.likelihood.mode_search import covariance_factors, search_modes_by_tensors
from doamc.posterior.sampling.chains import Walk
from doamc.posterior.sampling.resampling import tempering, tempering_by_tensors
from doamc.posterior.training.bayes_limit import truth_in
from tests.doamc.coupling.test_drawn import ULA, drawn_spec
from tests.doamc.posterior.scenes import coordinates_of, observed, point_of, posterior_of

CASES = [
    ("ula8", 2, True), ("ula8", 1, False), ("ula8", 3, True), ("ula8", 4, True), ("uca5", 2, True), ("uca5", 1, False),
    ("seed16", 3, True), ("ula4", 2, False), ("drawn circle", 2, True), ("drawn line", 1, True),
]  # fmt: skip


LIBRARY, VARIANTS = open_library()


@pytest.fixture(params=CASES, ids=lambda c: f"{c[0]}-{c[1]}-{c[2]}")
def case(request, tmp_path):
    """A posterior and points around the truth (B, d, S)."""
    array, n_sources, unknown = request.param
    if array.startswith("drawn"):
        array = drawn_spec(tmp_path, *([ULA, 3, 4, "[-60.0, 60.0]"] if array == "drawn line" else []))
    scene, rhat, count = observed(array, 3, n_sources, 50, 10.0)
    coordinates = coordinates_of(scene, unknown)
    x = truth_in(coordinates, scene) if scene.spec.name == "drawn" else point_of(coordinates, scene)
    z = torch.randn(3, coordinates.size, 16, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return posterior_of(coordinates, scene, rhat, count), coordinates.clip(x + 0.02 * z)


def test_log_posterior(case):
    posterior, x = case
    found, expected = posterior.native(x), posterior.log_posterior(x)
    assert expected.isfinite().any() and torch.equal(found.isfinite(), expected.isfinite())
    some = expected.isfinite()
    assert torch.allclose(found[some], expected[some], rtol=1e-10)


def test_gradient_and_information(case):
    posterior, x = case
    for found, expected in zip(posterior.native.information(x), information(posterior, x), strict=True):
        assert found.shape == expected.shape
        assert torch.allclose(found, expected, atol=1e-9 * float(expected.abs().max()))


def test_walk(case):
    posterior, x = case
    walk = Walk(16, posterior.coordinates.size, 9, (2.0, 1.2), (1.0, 0.5), 3, torch.device("cpu"))
    roots = covariance_factors(posterior, x)
    value = posterior.log_posterior(x)
    found = walk(posterior, x, value, roots, 4)
    expected = walk.by_tensors(posterior, x, value, roots, 4)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape and torch.allclose(a, b, rtol=1e-7, atol=1e-9)
    assert 0.02 < float(found[3].mean()) < 1.0  # some steps taken, some refused


@pytest.mark.parametrize(("effective", "most"), [(12.0, 0.5), (30.0, 1.0), (2.0, 1.0)])
def test_tempering(effective, most):
    value = torch.randn(6, 48, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    value = value * torch.tensor([0.01, 0.3, 1.0, 10.0, 1e3, 1e6], dtype=torch.float64)[:, None]
    value[1, :5] = -torch.inf
    found, expected = tempering(value, effective, most), tempering_by_tensors(value, effective, most)
    assert torch.allclose(found, expected, rtol=1e-3)
    shares = torch.softmax(found[:, None] * (value - value.amax(1, keepdim=True)), 1)
    assert (1 / shares.square().sum(1) >= 0.999 * effective).all()


@pytest.mark.parametrize("survivors", [4, 16])
def test_climb(case, survivors):
    posterior, x = case
    weak = 0.1 * prior_precision(posterior)
    value = posterior.log_posterior(x)
    found = posterior.native.climb(x, value, weak, 6, survivors, 3)
    expected = search_modes_by_tensors(posterior, x, value, 6, survivors, 3)
    assert found[0].shape == expected[0].shape == (3, posterior.coordinates.size, survivors)
    assert (found[1].amax(1) >= value.amax(1)).all()
    assert torch.allclose(found[1].amax(1), expected[1].amax(1), atol=0.02)  # steps end below a hundredth of a nat


def test_threads_change_nothing(case):
    posterior, x = case
    alone = posterior.native(x)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert torch.equal(posterior.native(x), alone)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_compute_the_same(case, variant):
    posterior, x = case
    own = Native(Kernels(LIBRARY, variant), posterior.native.model, *posterior.native._data)
    value, found = posterior.log_posterior(x), own(x)
    some = value.isfinite()
    assert torch.equal(found.isfinite(), some) and torch.allclose(found[some], value[some], rtol=1e-10)
    for a, b in zip(own.information(x), information(posterior, x), strict=True):
        assert torch.allclose(a, b, atol=1e-9 * float(b.abs().max()))
    weak = 0.1 * prior_precision(posterior)
    assert torch.allclose(own.climb(x, value, weak, 6, 5, 3)[1], posterior.native.climb(x, value, weak, 6, 5, 3)[1])
    walk = Walk(16, posterior.coordinates.size, 9, (2.0, 1.2), (1.0, 0.5), 3, torch.device("cpu"))
    roots = covariance_factors(posterior, x)
    expected = walk.by_tensors(posterior, x, value, roots, 4)
    posterior.native = own
    for a, b in zip(walk(posterior, x, value, roots, 4), expected, strict=True):
        assert torch.allclose(a, b, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("chains", [1, 2, 3, 5, 7, 8, 9, 15])
def test_a_chain_does_not_depend_on_how_many_there_are(case, chains):
    """Lanes left over at the end of the chains are filled up, and their results dropped."""
    posterior, x = case
    native, value, roots = posterior.native, posterior.native(x), covariance_factors(posterior, x)
    weak = 0.1 * prior_precision(posterior)
    normal = torch.randn(5, x.shape[1], 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def results(s: int) -> list[torch.Tensor]:
        points, level = x[:, :, :s], value[:, :s]
        leaps = np.full(5, -1), np.empty(0), np.empty((0, 2, s), dtype=np.int64), np.full((5, s), -0.1)
        walked = native.walk(points, level, roots[:, :s], normal[:, :, :s].contiguous().numpy(), *leaps, 3)
        gradient, f = native.information(points)
        climbed = native.climb(points, level, weak, 4, 16, 4)
        return [native(points), gradient.movedim(1, -1), f.movedim(1, -1), *climbed, *walked]

    for part, whole in zip(results(chains), results(16), strict=True):
        assert torch.equal(part, whole[..., :chains])


def test_no_chains_and_no_observations(case):
    posterior, x = case
    assert posterior.native(x[:, :, :0]).shape == (3, 0)
    assert posterior.select(slice(0, 0)).native(x[:0]).shape == (0, 16)
