"""Skies from visibilities with the shipped weights: what the network brings, error bars, brightness, sizes."""

import numpy as np
import pytest
import torch

from doamc.errors import ImagingError
from doamc.imaging.coverage import equatorial, grid_mask, tracks
from doamc.imaging.iuwt import iuwt
from doamc.imaging.visibilities import GridVisibilities, make_visibilities
from doamc.imaging.wiener import wiener
from doamc.skies import posterior, restoration
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.generator import draw_skies
from doamc.skies.problem import Run
from doamc.skies.restoration import restore
from tests.doamc.imaging.skies import observe

SIGMA = 0.005


def mask(n: int, antennas: int = 12) -> np.ndarray:
    """Antennas at random over two hours: a sixth of 64 x 64 cells, or a third of them with 27."""
    rng = np.random.default_rng(3)
    return grid_mask(tracks(equatorial(rng.uniform(-1, 1, (antennas, 2)), 34.0), 30.0, np.linspace(-1, 1, 25)), n)


def case(
    count: int, n: int = 64, scale: float = 1.0, cells: np.ndarray | None = None
) -> tuple[np.ndarray, GridVisibilities]:
    """Skies and their visibilities, by default in the cells of `mask`."""
    skies = scale * draw_skies(count, n, torch.Generator().manual_seed(2026), broad=0.0).double().numpy()
    cells = mask(n) if cells is None else cells
    values = observe(skies, cells, scale * SIGMA, np.random.default_rng(4))
    return skies, make_visibilities(values, cells, scale * SIGMA)


def psnr_db(image: np.ndarray, sky: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(image - sky).mean((1, 2))).mean())


class WithoutNetwork(SkyDenoiser):
    """F = 0: the Wiener filter of white skies."""

    def posterior(self, x_t, alpha, sigma):
        net, self.net = self.net, lambda z, level: (torch.zeros_like(z), torch.zeros_like(z))
        found = super().posterior(x_t, alpha, sigma)
        self.net = net
        return found


@pytest.fixture(scope="module")
def restored():
    skies, seen = case(2)
    return skies, seen, restore(seen, Run(12))


def test_the_network_is_what_brings_the_image(restored, monkeypatch):
    """The same chain without it, and the Gaussian sky of the right spectrum, are far behind: 8 dB at least."""
    skies, seen, found = restored
    monkeypatch.setattr(restoration, "SkyDenoiser", WithoutNetwork)
    without = restore(seen, Run(12))
    assert psnr_db(found.image, skies) > psnr_db(without.image, skies) + 8
    assert psnr_db(found.image, skies) > psnr_db(wiener(seen).image, skies) + 8


def test_intervals_hold_what_they_promise():
    """90 % of the pixels of 6 skies that the prior knows, of all of them and of those above the noise: a sky holds 0.8
    to 0.98, so that the mean of six is 0.83 to 0.97, and a little more where few pixels are above the noise."""
    skies, seen = case(6, cells=mask(64, 27))
    found = restore(seen, Run(20))
    inside = np.abs(found.image - skies) < 1.645 * found.std
    assert 0.83 < inside.mean() < 0.97 and 0.8 < inside[skies > SIGMA].mean() < 0.985


def strange() -> np.ndarray:
    """A disc with an edge, a bar, and points: nothing that the prior has learned. Peak 1."""
    x, y = np.meshgrid(np.arange(64) - 32.0, np.arange(64) - 32.0)
    disc = 1.0 * (np.hypot(x - 6, y + 4) < 7)
    bar = 0.6 * (np.abs(x + 12) < 1.5) * (np.abs(y) < 12)
    points = sum(a * np.exp(-0.5 * ((x - p) ** 2 + (y - q) ** 2) / 0.7**2)
                 for a, p, q in ((0.9, 15, 15), (0.3, -20, 8), (0.5, 0, 20)))  # fmt: skip
    return np.stack([disc + 0.2 * points, bar + points])


def test_intervals_widen_on_skies_that_the_prior_does_not_know():
    """They hold nearly what they promise there, too: 2 skies, errors of neighbours hang together. In
    pixels above the noise they are twice as wide as on skies that it knows."""
    skies, cells = strange(), mask(64, 27)
    found = restore(make_visibilities(observe(skies, cells, SIGMA, np.random.default_rng(4)), cells, SIGMA), Run(20))
    inside = np.abs(found.image - skies) < 1.645 * found.std
    assert 0.8 < inside.mean() < 0.99 and 0.75 < inside[skies > SIGMA].mean()
    known, seen = case(6, cells=cells)
    told = restore(seen, Run(20))
    assert np.median(found.std[skies > SIGMA]) > 2 * np.median(told.std[known > SIGMA])


def test_few_cells_are_enough_where_compressed_sensing_is_near():
    """Eight antennas, 8 % of the cells: 2 dB better than compressed sensing, which the chain begins at, or no worse."""
    cells = mask(64, 8)
    assert cells.mean() < 0.09
    for skies, margin_db in ((strange(), 2), (case(2)[0], 0)):
        seen = make_visibilities(observe(skies, cells, SIGMA, np.random.default_rng(4)), cells, SIGMA)
        assert psnr_db(restore(seen, Run(20)).image, skies) > psnr_db(iuwt(seen), skies) + margin_db


def test_what_was_measured_is_kept(restored):
    """The residual in the measured cells is that of the noise, 1.5 times as much at most after so few steps."""
    _, seen, found = restored
    left = np.where(seen.mask, np.fft.fft2(found.image, norm="ortho") - seen.values, 0)
    assert 0.8 * SIGMA < np.sqrt(np.mean(np.abs(left[:, seen.mask]) ** 2)) < 1.5 * SIGMA


def test_a_sky_of_any_brightness_is_the_same_sky(restored):
    skies, _, found = restored
    seen = case(2, scale=1024.0)[1]
    scaled = restore(seen, Run(12))
    assert np.allclose(scaled.image / 1024, found.image, atol=1e-4) and np.allclose(
        scaled.std / 1024, found.std, atol=1e-4
    )
    seen = case(2, scale=37.0)[1]
    assert psnr_db(restore(seen, Run(12)).image / 37, skies) > psnr_db(found.image, skies) - 4


def test_the_same_seed_gives_the_same_image_alone_or_among_others(restored):
    _, seen, found = restored
    assert np.allclose(restore(seen.part(0, 1), Run(12)).image[0], found.image[0], atol=2e-3)
    assert not np.allclose(restore(seen.part(0, 1), Run(12, seed=1)).image[0], found.image[0], atol=1e-6)


def test_a_long_run_averages_what_a_short_one_is_off_by(monkeypatch):
    """Little noise, a third of the cells: 15 more steps of that kind make 10 steps 7 dB better, 4 at least; y is kept.

    Deviations are about those of the first 10 steps: no smaller for all the averaging.
    """
    skies, cells = case(2)[0], mask(64, 27)
    seen = make_visibilities(observe(skies, cells, 5e-4, np.random.default_rng(4)), cells, 5e-4)
    first = restore(seen, Run(10))
    monkeypatch.setattr(posterior, "LONG", 20)
    monkeypatch.setattr(posterior, "SHORT", 10)
    found = restore(seen, Run(25))
    assert psnr_db(found.image, skies) > psnr_db(first.image, skies) + 4
    left = np.where(cells, np.fft.fft2(found.image, norm="ortho") - seen.values, 0)[:, cells]
    assert np.sqrt(np.mean(np.abs(left) ** 2)) < 1.5 * 5e-4
    assert 0.5 < np.median(found.std / first.std) < 2


def test_ddrm_is_no_posterior_but_an_image(restored):
    skies, seen, _ = restored
    one = restore(seen.part(0, 1), Run(10), "ddrm")
    assert one.std is None and psnr_db(one.image, skies[:1]) > psnr_db(wiener(seen).image[:1], skies[:1]) + 3
    two = restore(seen.part(0, 1), Run(4, 2), "ddrm")
    assert two.std is not None and two.std.shape == (1, 64, 64) and float(two.std.max()) > 0


@pytest.mark.parametrize("n", [33, 100])
def test_images_of_other_sizes(n):
    skies, seen = case(1, n, cells=mask(n, 27))
    assert psnr_db(restore(seen, Run(10)).image, skies) > psnr_db(wiener(seen).image, skies) + 5


def test_what_cannot_be_restored_is_refused(restored):
    _, seen, _ = restored
    with pytest.raises(ImagingError, match="expected a method of posterior, ddrm, found 'magic'"):
        restore(seen, Run(10), "magic")
    with pytest.raises(ImagingError, match="expected 2 steps or more and a sample, found 1 and 1"):
        Run(1)
    small = make_visibilities(np.zeros((1, 8, 8)), np.ones((8, 8)), 1.0)
    with pytest.raises(ImagingError, match="expected an image of 16 pixels a side at least"):
        restore(small, Run(10))


def test_visibilities_of_noise_alone_give_an_image_of_next_to_nothing():
    cells = mask(64)
    seen = make_visibilities(observe(np.zeros((1, 64, 64)), cells, 0.1, np.random.default_rng(0)), cells, 0.1)
    found = restore(seen, Run(10))
    assert np.isfinite(found.image).all() and float(np.sqrt(np.square(found.image).mean())) < 0.1


@pytest.mark.parametrize("steps", [5, 10])
def test_visibilities_without_noise_give_an_image(steps):
    """Less noise than single precision has is taken for as much: its squares would not be numbers."""
    sky = draw_skies(1, 32, torch.Generator().manual_seed(1)).double().numpy()
    cells = mask(32, 27)
    values = observe(sky, cells, 1e-12, np.random.default_rng(4))
    found = restore(make_visibilities(values, cells, 1e-12), Run(steps))
    assert np.isfinite(found.image).all() and found.std is not None and np.isfinite(found.std).all()
    assert psnr_db(found.image, sky) > 30  # 34 in one sweep, which is what five steps are, and more in two
