"""The compiled loops against the tensor operations that they replace on the CPU."""

import pytest
import torch

from doamc.likelihood.compiled import CompiledBackend
from doamc.likelihood.fisher import information
from doamc.likelihood.kernels import Kernels
from doamc.likelihood.library import open_library
from doamc.likelihood.metropolis import MoveTables
from doamc.likelihood.mode_search import covariance_factors
from doamc.likelihood.scene_points import scene_points
from doamc.likelihood.tensors import TensorBackend
from doamc.posterior.sampling.chains import MetropolisChains
from tests.doamc.coupling.test_drawn import ULA, drawn_spec
from tests.doamc.helpers.directional import directional_spec
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of

CASES = [
    ("ula8", 2, True), ("ula8", 1, False), ("ula8", 3, True), ("ula8", 4, True), ("uca5", 2, True), ("uca5", 1, False),
    ("seed16", 3, True), ("ula4", 2, False), ("drawn circle", 2, True), ("drawn line", 1, True), ("dome8", 2, True),
    ("panel16", 3, False), ("panel16", 1, True), ("ula8 by direction", 2, True), ("uca5 by direction", 1, False),
    ("seed16 by direction", 2, True), ("dome8 by direction", 2, True), ("panel16 by direction", 1, False),
]  # fmt: skip


LIBRARY, VARIANTS = open_library()


@pytest.fixture(params=CASES, ids=lambda c: f"{c[0]}-{c[1]}-{c[2]}")
def case(request, tmp_path):
    """A posterior and points around the truth (B, d, S)."""
    array, n_sources, unknown = request.param
    if array.startswith("drawn"):
        array = drawn_spec(tmp_path, *([ULA, 3, 4, "[-60.0, 60.0]"] if array == "drawn line" else []))
    if isinstance(array, str) and array.endswith(" by direction"):
        array = directional_spec(array.split()[0], 2)
    scene, rhat, count = observed(array, 3, n_sources, 50, 10.0)
    coordinates = coordinates_of(scene, unknown)
    plain = scene.spec.family.n_blocks == 1
    x = point_of(coordinates, scene) if plain else scene_points(coordinates, scene)
    z = torch.randn(3, coordinates.size, 16, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return posterior_of(coordinates, scene, rhat, count), coordinates.clip(x + 0.02 * z)


def test_log_posterior(case):
    posterior, x = case
    found, expected = posterior.backend.log_posterior(x), posterior.log_posterior(x)
    assert expected.isfinite().any() and torch.equal(found.isfinite(), expected.isfinite())
    some = expected.isfinite()
    assert torch.allclose(found[some], expected[some], rtol=1e-10)


def test_gradient_and_information(case):
    posterior, x = case
    for found, expected in zip(posterior.backend.information(x), information(posterior, x), strict=True):
        assert found.shape == expected.shape
        assert torch.allclose(found, expected, atol=1e-9 * float(expected.abs().max()))


def runs(posterior, x, backend):
    """What short chains from x leave by a backend and by tensors."""
    size = posterior.coordinates.size
    tables = MetropolisChains(16, size, 9, (2.0, 1.2), (1.0, 0.5), 3, torch.device("cpu")).tables
    value, factors = posterior.log_posterior(x), covariance_factors(posterior, x)
    found, expected = (b.run_chains(x, value, factors, tables, 4) for b in (backend, TensorBackend(posterior)))
    return tuple(vars(found).values()), tuple(vars(expected).values())


def test_metropolis_chains(case):
    posterior, x = case
    found, expected = runs(posterior, x, posterior.backend)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape and torch.allclose(a, b, rtol=1e-7, atol=1e-9)
    assert 0.02 < float(found[3].mean()) < 1.0  # some steps taken, some refused


@pytest.mark.parametrize("survivors", [4, 16])
def test_mode_search(case, survivors):
    posterior, x = case
    value = posterior.log_posterior(x)
    found, expected = (b.search_modes(x, value, 6, survivors, 3) for b in (posterior.backend, TensorBackend(posterior)))
    assert found[0].shape == expected[0].shape == (3, posterior.coordinates.size, survivors)
    assert (found[1].amax(1) >= value.amax(1)).all()
    assert torch.allclose(found[1].amax(1), expected[1].amax(1), atol=0.02)  # steps end below a hundredth of a nat


def test_threads_change_nothing(case):
    posterior, x = case
    alone = posterior.backend.log_posterior(x)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert torch.equal(posterior.backend.log_posterior(x), alone)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_compute_the_same(case, variant):
    posterior, x = case
    own = CompiledBackend(Kernels(LIBRARY, variant), posterior)
    value, found = posterior.log_posterior(x), own.log_posterior(x)
    some = value.isfinite()
    assert torch.equal(found.isfinite(), some) and torch.allclose(found[some], value[some], rtol=1e-10)
    for a, b in zip(own.information(x), information(posterior, x), strict=True):
        assert torch.allclose(a, b, atol=1e-9 * float(b.abs().max()))
    level = [b.search_modes(x, value, 6, 5, 3)[1] for b in (own, posterior.backend)]
    assert torch.allclose(*level)
    found, expected = runs(posterior, x, own)
    for a, b in zip(found, expected, strict=True):
        assert torch.allclose(a, b, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("chains", [1, 2, 3, 5, 7, 8, 9, 15])
def test_a_chain_does_not_depend_on_how_many_there_are(case, chains):
    """Lanes left over at the end of the chains are filled up, and their results dropped."""
    posterior, x = case
    backend, value, factors = posterior.backend, posterior(x), covariance_factors(posterior, x)
    normal = torch.randn(5, x.shape[1], 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def results(s: int) -> list[torch.Tensor]:
        points, level = x[:, :, :s], value[:, :s]
        none = torch.full((5,), -1), torch.empty(0).double(), torch.empty(0, 2, s).long()
        tables = MoveTables(normal[:, :, :s], *none, torch.full((5, s), -0.1).double())
        run = backend.run_chains(points, level, factors[:, :s], tables, 3)
        gradient, f = backend.information(points)
        searched = backend.search_modes(points, level, 4, 16, 4)
        return [posterior(points), gradient.movedim(1, -1), f.movedim(1, -1), *searched, *vars(run).values()]

    for part, whole in zip(results(chains), results(16), strict=True):
        assert torch.equal(part, whole[..., :chains])


def test_no_chains_and_no_observations(case):
    posterior, x = case
    assert posterior(x[:, :, :0]).shape == (3, 0)
    assert posterior.select(slice(0, 0))(x[:0]).shape == (0, 16)
