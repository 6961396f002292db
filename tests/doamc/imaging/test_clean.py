"""CLEAN, multi-scale CLEAN, compressed sensing and the Gaussian sky against what is published or known exactly."""

import numpy as np
import pytest

from doamc.errors import ImagingError
from doamc.imaging.beam import fit_beam, restored
from doamc.imaging.clean import clean
from doamc.imaging.dirty import beam_image, residual_image
from doamc.imaging.iuwt import atoms, iuwt
from doamc.imaging.methods import METHODS, dirty_noise
from doamc.imaging.multiscale import kernel, multiscale_clean
from doamc.imaging.visibilities import make_visibilities
from doamc.imaging.wiener import wiener
from tests.doamc.imaging.skies import blob, hermitian_mask, observe, points

N = 32


def seen(sky, sigma, seed=1, share=0.4):
    """Visibilities of a sky: all cells of 1 to 3 cycles an image, some up to 0.45 cycles a pixel, never DC."""
    rng = np.random.default_rng(seed)
    f = np.fft.fftfreq(N, 1 / N)
    k = np.hypot(f[:, None], f)
    mask = (hermitian_mask((N, N), rng, share) & (k < 0.45 * N)) | ((k > 0) & (k < 3.5))
    return make_visibilities(observe(sky, mask, max(sigma, 1e-12), rng), mask, max(sigma, 1e-12))


@pytest.mark.parametrize("algorithm", [clean, multiscale_clean])
def test_points_are_found_to_a_tenth_of_a_percent(algorithm):
    """Without noise: flux within 0.1 %, nothing elsewhere, residual below the threshold."""
    dirty, psf = beam_image(seen(points(N, (9, 20, 1.0), (22, 5, 0.3)), 0))
    found = algorithm(dirty[0], psf, 1e-4)
    assert np.abs(found.residual).max() < 2e-4
    near = [found.model[i - 1 : i + 2, j - 1 : j + 2].sum() for i, j in ((9, 20), (22, 5))]
    assert near == pytest.approx([1.0, 0.3], rel=1e-3)
    assert np.abs(found.model).sum() - sum(near) < 0.02


def test_the_residual_is_the_noise():
    """CLEAN to three deviations leaves noise: its deviation, and nothing above the threshold."""
    visibilities = seen(points(N, (9, 20, 5.0)), 0.05)
    dirty, psf = beam_image(visibilities)
    sigma = dirty_noise(visibilities)
    empty = beam_image(seen(np.zeros((1, N, N)), 0.05))[0]
    assert empty.std() == pytest.approx(sigma, rel=0.1)  # 200 independent cells: 5 %
    found = clean(dirty[0], psf, 3 * sigma)
    assert np.abs(found.residual).max() <= 3 * sigma
    assert found.residual.std() == pytest.approx(sigma, rel=0.15)
    assert found.model[9, 20] == pytest.approx(5.0, abs=5 * sigma)


def test_negative_components_are_taken_when_allowed():
    dirty, psf = beam_image(seen(points(N, (9, 20, -1.0)), 0))
    assert clean(dirty[0], psf, 1e-3).model[9, 20] == pytest.approx(-1, rel=0.01)
    assert clean(dirty[0], psf, 1e-3, negative=False).model.min() == 0
    assert clean(dirty[0], psf, 1e-3, most=7).count == 7


def test_multi_scale_keeps_whole_what_clean_breaks_up():
    """[Cornwell]: a halo of 4 pixels' deviation, DC not seen. Points lose a third of its flux, blobs half of that."""
    halo = blob(N, 15, 17, 4.0, flux=50.0)
    visibilities = seen(halo[None], 0.02)
    dirty, psf = beam_image(visibilities)
    threshold = 3 * dirty_noise(visibilities)
    single, several = clean(dirty[0], psf, threshold), multiscale_clean(dirty[0], psf, threshold, (0, 2, 4, 8))
    error = [np.sqrt(np.mean((c.model - halo) ** 2)) for c in (single, several)]
    assert error[1] < 0.5 * error[0]
    assert several.model.sum() > 0.8 * 50 > 0.7 * 50 > single.model.sum()
    assert several.count < 0.3 * single.count
    assert np.abs(several.residual).max() <= threshold
    beam = fit_beam(psf)
    images = [restored(c.model, c.residual, beam) for c in (single, several)]
    wanted = restored(halo, np.zeros((N, N)), beam)
    assert np.square(images[1] - wanted).sum() < np.square(images[0] - wanted).sum()


def test_kernels_have_integral_one_and_their_radius():
    for radius in (0, 2, 5):
        k = np.fft.fftshift(kernel(radius, N))
        assert k.sum() == pytest.approx(1) and (k >= 0).all()
        rows = np.flatnonzero(k.sum(1))
        assert rows.max() - N // 2 == max(radius - 1, 0)


def test_the_beam_is_that_of_a_gaussian_coverage():
    """A taper of deviation 5 by 3 cycles an image makes a Gaussian beam of N / (2 pi 5) by N / (2 pi 3) pixels."""
    f = np.fft.fftfreq(2 * N, 1 / (2 * N))
    taper = np.exp(-(f[:, None] ** 2 / 10**2 + f**2 / 6**2) / 2)
    psf = np.fft.fftshift(np.fft.ifft2(taper).real)
    beam = fit_beam(psf / psf.max())
    widths = 2.3548 * N / (2 * np.pi * np.array([3, 5]))
    assert beam.widths == pytest.approx(tuple(widths), rel=0.01)
    assert beam.angle == pytest.approx(np.pi / 2, abs=0.01)  # longer along columns
    assert beam.area == pytest.approx(1.1331 * widths.prod(), rel=0.02)
    point = restored(points(N, (16, 16, 3.0))[0], np.zeros((N, N)), beam)
    assert point.sum() == pytest.approx(3.0) and point.max() == pytest.approx(3 / beam.area, rel=0.01)
    with pytest.raises(ImagingError, match="peak"):
        fit_beam(np.roll(psf, 3, 0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d, p: clean(d, p[:-1], 0), "point spread function"),
        (lambda d, p: clean(d, p, 0, gain=0), "gain"),
        (lambda d, p: clean(d, p, -1), "threshold"),
        (lambda d, p: multiscale_clean(d, p, 0, scales=()), "scales"),
        (lambda d, p: multiscale_clean(d, p, 0, scales=(99,)), "scales"),
        (lambda d, p: multiscale_clean(np.zeros((2048, 2048)), np.zeros((4096, 4096)), 0), "fewer"),
    ],
)
def test_what_is_out_of_range_is_said(call, message):
    with pytest.raises(ImagingError, match=message):
        call(np.zeros((4, 4)), np.zeros((8, 8)))


def test_atoms_are_positive_bumps_of_integral_one():
    shapes = np.fft.irfft2(atoms(N), (N, N))
    assert len(shapes) == 4 and shapes.min() > -1e-12
    assert shapes.sum((1, 2)) == pytest.approx(1)
    assert shapes[:, 0, 0] == pytest.approx([1, (6 / 16) ** 2, shapes[2, 0, 0], shapes[3, 0, 0]])


def test_compressed_sensing_beats_what_it_starts_from():
    """A point beside a halo: explained to the noise, positive, and nearer to the truth than any CLEAN.

    DC is not measured; lambda shrinks what is there by a few deviations, so that the flux comes out a little low.
    """
    sky = (blob(N, 12, 12, 2.0, 10.0) + blob(N, 22, 20, 0.8, 3.0))[None]
    visibilities = seen(sky, 0.02)
    steps = []
    found = iuwt(visibilities, report=steps.append)
    left = residual_image(visibilities, found)
    assert steps == [1] and found.min() > -1e-9
    assert left.std() == pytest.approx(0.02 * visibilities.mask.mean() ** 0.5, rel=0.15)
    assert found.sum() == pytest.approx(13.0, rel=0.05)
    error = {name: np.square(METHODS[name](visibilities, None, None).image - sky).sum() for name in METHODS}
    assert error["iuwt"] < 0.3 * min(error[name] for name in METHODS if name != "iuwt")


def test_a_gaussian_sky_has_the_posterior_that_is_known():
    """Skies drawn from the family of spectra: errors as large as told, 90 % within 1.645 deviations, P found.

    96 skies: coverage 0.9 to 0.02, what pixels of one sky share among them included.
    """
    rng = np.random.default_rng(3)
    f = np.fft.fftfreq(N, 1 / N)
    power = 30 * (1 + (f[:, None] ** 2 + f**2) / 3.0**2) ** -2.0
    skies = np.fft.ifft2(np.sqrt(power) * np.fft.fft2(rng.standard_normal((96, N, N)))).real
    mask = hermitian_mask((N, N), rng, 0.5)
    mask[0, 0] = True
    for sigma in (0.3, np.where(np.hypot(f[:, None], f) < 6, 0.2, 0.6)):
        noise = np.fft.fft2(rng.standard_normal(skies.shape), norm="ortho") * sigma
        values = np.where(mask, np.fft.fft2(skies, norm="ortho") + noise, 0)
        found = wiener(make_visibilities(values, mask, sigma))
        assert found.std is not None
        error = found.image - skies
        exact = np.where(mask, power * sigma**2 / (power + np.square(sigma)), power).mean()
        assert np.square(error).mean() == pytest.approx(exact, rel=0.1)
        assert (np.abs(error) < 1.645 * found.std).mean() == pytest.approx(0.9, abs=0.02)
