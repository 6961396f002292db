"""Our CLEANs beside WSClean [Offringa], on one Measurement Set; skipped where it or casacore is not installed."""

import shutil
import subprocess

import numpy as np
import pytest

from doamc.imaging.beam import fit_beam, restored
from doamc.imaging.clean import clean
from doamc.imaging.multiscale import multiscale_clean
from doamc.imaging.nonuniform import NonUniformFourier
from tests.doamc.imaging.measurement_set import write_measurement_set
from tests.doamc.imaging.skies import blob, points

if shutil.which("wsclean") is None:
    pytest.skip("WSClean is not installed", allow_module_level=True)
pytest.importorskip("casacore.tables")
fits = pytest.importorskip("astropy.io.fits")

N, ARCSEC = 64, 10.0
PIXEL = np.deg2rad(ARCSEC / 3600)
SIGMA = 0.5


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """Two points and a halo through 3000 baselines: folder, transform, dirty image, point spread function, noise."""
    rng = np.random.default_rng(1)
    uv = rng.normal(0, 0.1 / PIXEL, (3000, 2))
    uv = uv[np.abs(uv).max(1) < 0.45 / PIXEL]
    sky = points(N, (40, 20, 2.0), (25, 41, 1.0))[0] + blob(N, 36, 36, 3.0, 6.0)
    transform = NonUniformFourier(uv, N, PIXEL)
    noise = SIGMA * (rng.standard_normal((len(uv), 2)) @ [1, 1j]) / 2**0.5
    values = transform.forward(sky) + noise
    folder = tmp_path_factory.mktemp("wsclean")
    write_measurement_set(str(folder / "v.ms"), np.pad(uv, ((0, 0), (0, 1))), values, np.ones(len(uv)))
    psf = NonUniformFourier(uv, 2 * N, PIXEL).adjoint(np.ones(len(uv), complex)) / len(uv)
    return folder, transform.adjoint(values) / len(uv), psf, SIGMA / (2 * len(uv)) ** 0.5, sky


def theirs(folder, name, *options):
    """An image by WSClean, l rising from left to right as ours; its first column has no pixel of ours."""
    command = ["wsclean", "-j", "1", "-size", str(N), str(N), "-scale", f"{ARCSEC}asec", "-weight", "natural", "-pol",
               "I", "-gridder", "wgridder", "-name", "w", *options, "v.ms"]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    if "Unknown parameter" in done.stdout + done.stderr:  # before version 3.2
        command[command.index("-gridder") : command.index("-gridder") + 2] = ["-use-wgridder"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return np.roll(fits.getdata(folder / f"w-{name}.fits")[0, 0][:, ::-1], 1, 1)


def test_dirty_images_are_the_same(observed):
    folder, dirty, psf, *_ = observed
    found = theirs(folder, "dirty", "-niter", "0", "-make-psf")
    assert (found - dirty)[:, 1:].std() < 1e-3 * dirty.max()  # its gridder's accuracy, least at the edges
    beam = np.roll(fits.getdata(folder / "w-psf.fits")[0, 0][:, ::-1], 1, 1)
    assert np.abs(beam - psf[N // 2 : -N // 2, N // 2 : -N // 2])[:, 1:].max() < 5e-3


@pytest.mark.parametrize("algorithm", ["clean", "multiscale"])
def test_restored_images_differ_by_less_than_the_noise(algorithm, observed):
    """Both to three deviations; fluxes of the points within 3 %, total flux of the models within 5 % of each other."""
    folder, dirty, psf, sigma, _ = observed
    options = ["-niter", "20000", "-mgain", "0.8", "-gain", "0.1", "-threshold", f"{3 * sigma:.9f}"]
    if algorithm == "multiscale":
        options += ["-multiscale", "-multiscale-scales", "0,4,8,16"]
        found = multiscale_clean(dirty, psf, 3 * sigma, (0, 2, 4, 8))
    else:
        found = clean(dirty, psf, 3 * sigma)
    image = theirs(folder, "image", *options)
    model = np.roll(fits.getdata(folder / "w-model.fits")[0, 0][:, ::-1], 1, 1)
    beam = fit_beam(psf)
    ours = restored(found.model, found.residual, beam) * beam.area
    for i, j in ((40, 20), (25, 41)):
        assert ours[i, j] == pytest.approx(image[i, j], rel=0.03)
    assert found.model.sum() == pytest.approx(model.sum(), rel=0.05)
    assert (ours - image)[:, 1:].std() < 0.6 * sigma
