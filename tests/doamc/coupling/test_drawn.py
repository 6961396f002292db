"""A family of drawn antennas: against explicit sums, its file, and the posterior's likelihood with it."""

import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from doamc.arrays.steering import steering
from doamc.coupling.drawn_file import load_drawn_family
from doamc.errors import SpecificationError
from doamc.likelihood.coordinates import make_coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.fisher import information
from doamc.likelihood.scene_points import scene_points
from doamc.scenes.prior import draw_scene
from doamc.scenes.wishart import draw_covariance
from doamc.spec import SHIPPED, ArraySpec, load_spec

UCA = 'kind = "uca"\nelements = 5\nradius_wavelengths = 0.35'
ULA = 'kind = "ula"\nelements = 6\nspacing_wavelengths = 0.5'


def drawn_spec(folder, geometry=UCA, blocks=3, parameters=4, sector="[0.0, 360.0]") -> ArraySpec:
    """A specification with a made-up prior of so many angular functions and parameters."""
    n = 5 if geometry == UCA else 6
    generator = torch.Generator().manual_seed(3)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, 2, generator=generator, dtype=torch.float64)

    mean = 0.1 * noise(n, blocks * n)
    patterns = 0.05 * noise(parameters, n, blocks * n)
    for m, wanted in ((mean, 1.0), (patterns, 0.0)):  # mean diagonal 1, whatever the parameters
        own = m[..., :n, :].diagonal(dim1=-3, dim2=-2)
        shift = torch.tensor([wanted, 0.0]) - own.mean(-1)
        m[..., :n, :] += torch.eye(n)[..., None] * shift[..., None, None, :]
    projection = torch.zeros(blocks * n, n, 2, dtype=torch.float64)
    projection[:n, :, 0] = torch.eye(n)
    file = {"mean": mean, "patterns": patterns, "projection": projection}
    save_file(file, folder / "test.prior.safetensors")
    path = folder / "array.toml"
    path.write_text(
        f'name = "drawn"\n[geometry]\n{geometry}\n[sector]\nazimuth_deg = {sector}\nmin_separation_deg = 20.0\n'
        '[coupling]\nfamily = "drawn"\nprior = "test"\n[sources]\ncount = [1, 2]\npower_db = [-6.0, 0.0]\n'
    )
    return load_spec(path)


@pytest.mark.parametrize("blocks", [1, 3, 5])
def test_response_is_the_sum_of_angular_functions(tmp_path, blocks):
    spec = drawn_spec(tmp_path, blocks=blocks)
    scene = draw_scene(spec, 3, 2, 10.0, torch.Generator().manual_seed(1))
    family, n = spec.family, 5
    for i in range(3):
        e = (family.mean + (scene.theta[i, :, None, None] * family.patterns).sum(0)).numpy()
        for p in range(2):
            az = float(scene.azimuth[i, p])
            g = [1, math.cos(az), math.sin(az), math.cos(2 * az), math.sin(2 * az)][:blocks]
            a = np.exp(2j * math.pi * 0.35 * np.cos(az - 2 * math.pi * np.arange(n) / n))
            v = sum(g[j] * e[:, j * n : (j + 1) * n] @ a for j in range(blocks))
            assert np.allclose(scene.response[i, :, p].numpy(), v, atol=1e-12)


def test_one_block_is_a_plain_coupling_matrix(tmp_path):
    spec = drawn_spec(tmp_path, blocks=1)
    scene = draw_scene(spec, 4, 2, 10.0, torch.Generator().manual_seed(1))
    a = steering(spec.positions, scene.azimuth).to(torch.complex128)
    assert torch.allclose(scene.response, scene.coupling @ a)


@pytest.mark.parametrize(("geometry", "sector"), [(UCA, "[0.0, 360.0]"), (ULA, "[-60.0, 60.0]")])
@pytest.mark.parametrize("blocks", [1, 3])
def test_posterior_is_the_dense_gaussian_one_with_a_normal_prior(tmp_path, geometry, sector, blocks):
    spec = drawn_spec(tmp_path, geometry, blocks, sector=sector)
    scene = draw_scene(spec, 4, 2, 10.0, torch.Generator().manual_seed(5))
    count = torch.full((4,), 50.0, dtype=torch.float64)
    rhat = draw_covariance(scene.covariance, count, np.random.default_rng(1))
    coordinates = make_coordinates(spec, 2, True, (-60.0, 40.0))
    posterior = ExactPosterior(coordinates, rhat, count, None)
    x = scene_points(coordinates, scene)
    r = scene.covariance
    trace = torch.linalg.solve(r, rhat).diagonal(dim1=1, dim2=2).real.sum(1)
    expected = -count * (torch.linalg.slogdet(r)[1] + trace) - 0.5 * scene.theta.square().sum(1)
    assert torch.allclose(posterior(x)[:, 0], expected, rtol=1e-10)
    x = x + 0.002 * torch.randn(4, coordinates.size, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    x.requires_grad_()
    (slope,) = torch.autograd.grad(posterior.log_density(x).sum(), x)
    gradient = information(posterior, x.detach())[0].transpose(1, 2)
    assert (gradient - slope).abs().max() < 1e-8 * slope.abs().max()


@pytest.mark.parametrize("geometry", [UCA, ULA])
def test_fisher_information_is_the_curvature_at_the_true_covariance(tmp_path, geometry):
    spec = drawn_spec(tmp_path, geometry, sector="[0.0, 360.0]" if geometry == UCA else "[-60.0, 60.0]")
    scene = draw_scene(spec, 1, 2, 10.0, torch.Generator().manual_seed(5))
    coordinates = make_coordinates(spec, 2, True, (-60.0, 40.0))
    count = torch.full((1,), 50.0, dtype=torch.float64)
    posterior = ExactPosterior(coordinates, scene.covariance, count, None)
    x = scene_points(coordinates, scene)
    hessian = torch.autograd.functional.hessian(lambda v: posterior.log_density(v[None, :, None]).sum(), x[0, :, 0])
    assert torch.allclose(information(posterior, x)[1][0, 0], -hessian, atol=1e-8 * float(hessian.abs().max()))


def test_project_finds_the_member(tmp_path):
    family = drawn_spec(tmp_path, blocks=1).family
    z = family.draw((6,), torch.Generator().manual_seed(1))
    assert torch.allclose(family.project((2 - 1j) * family.matrix(z)), z, atol=0.05 * float(z.abs().max()))


def test_a_checkpoint_of_another_prior_is_of_another_array(tmp_path):
    (tmp_path / "b").mkdir()
    first, second = drawn_spec(tmp_path), drawn_spec(tmp_path / "b", parameters=5)
    same = load_spec(tmp_path / "array.toml")
    assert first.digest == same.digest != second.digest


def test_faults_are_named(tmp_path):
    with pytest.raises(SpecificationError, match="expected a prior file"):
        load_drawn_family(tmp_path / "none.safetensors")
    drawn_spec(tmp_path)
    text = (tmp_path / "array.toml").read_text()
    (tmp_path / "array.toml").write_text(text.replace('"test"', '"other"'))
    with pytest.raises(SpecificationError, match="prior must be a file or a shipped name"):
        load_spec(tmp_path / "array.toml")
    (tmp_path / "array.toml").write_text(text.replace("elements = 5", "elements = 7"))
    with pytest.raises(SpecificationError, match="is for 5 elements"):
        load_spec(tmp_path / "array.toml")


WRONG_PRIORS = {
    "not finite": lambda t: {"mean": t["mean"] * torch.nan},
    "whole numbers": lambda t: {"patterns": t["patterns"].to(torch.int64)},
    "no element": lambda t: {k: t[k][:0] for k in ("mean", "patterns")},
    "a number alone": lambda t: {"mean": torch.tensor(1.0)},
    "huge": lambda t: {"patterns": t["patterns"] * 1e30},
    "no diagonal": lambda t: {"projection": 0 * t["projection"]},
    "scales of nothing": lambda t: {"scales": t["scales"] * 1e-30},
    "no scales": lambda t: {"weights": torch.zeros(0), "scales": torch.zeros(0, 0)},
    "a weight alone": lambda t: {"weights": torch.tensor(1.0)},
    "shares of twice the whole": lambda t: {"weights": 2 * t["weights"]},
    "frequencies twice": lambda t: {"frequency": torch.tensor([0.9, 0.9])},
    "no frequency": lambda t: {"frequency": torch.zeros(0)},
}


@pytest.mark.parametrize("change", WRONG_PRIORS.values(), ids=WRONG_PRIORS)
def test_numbers_that_no_prior_has_are_refused(tmp_path, change):
    tensors = load_file(SHIPPED / "kraken5.prior.safetensors")
    changed = {k: v.contiguous() for k, v in (tensors | change(tensors)).items()}
    save_file(changed, tmp_path / "p.safetensors", {"doamc": "{}"})
    with pytest.raises(SpecificationError, match=r"p\.safetensors: expected"):
        load_drawn_family(tmp_path / "p.safetensors")
