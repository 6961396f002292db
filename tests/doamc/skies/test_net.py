"""What holds for any weights of the prior: sizes, independence of items, limits of the noise, derivatives."""

import pytest
import torch

from doamc.errors import ImagingError
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.net import SCALE, SIGMA, SkyNet, SkyNetConfig

SMALL = SkyNetConfig(width=8, blocks=1, context=16)


def small(shape: tuple[int, int]) -> SkyDenoiser:
    """Random weights everywhere, as no training leaves them."""
    torch.manual_seed(0)
    net = SkyNet(SMALL)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.05 * torch.randn(p.shape, dtype=torch.float32))
    return SkyDenoiser(net.eval().requires_grad_(False), shape)


def noisy(count: int, pixels: int, sigma: float, seed: int = 0) -> torch.Tensor:
    return sigma * torch.randn(count, pixels, generator=torch.Generator().manual_seed(seed), dtype=torch.float32)


@pytest.mark.parametrize("shape", [(16, 16), (64, 64), (33, 50), (150, 150)])
def test_any_size(shape):
    mean, variance = small(shape).posterior(noisy(2, shape[0] * shape[1], 0.1), 1.0, 0.1)
    assert mean.shape == variance.shape == (2, shape[0] * shape[1])
    assert bool(mean.isfinite().all()) and bool((variance > 0).all())


def test_an_image_that_is_too_small_is_refused():
    with pytest.raises(ImagingError, match="expected an image of 16 pixels a side at least, found"):
        small((64, 8))


def test_items_do_not_see_each_other_and_have_a_level_each():
    denoiser, z, levels = small((32, 32)), noisy(5, 1024, 0.3), torch.tensor([[0.01], [0.1], [0.5], [1.0], [3.0]])
    together = denoiser.posterior(z, 1.0, levels)
    for i in range(5):
        alone = denoiser.posterior(z[i : i + 1], 1.0, float(levels[i]))
        assert all(torch.allclose(a[0], b[i], rtol=1e-3, atol=1e-5) for a, b in zip(alone, together, strict=True))


def test_alpha_scales_what_is_seen():
    denoiser, z = small((32, 32)), noisy(1, 1024, 0.3)
    assert torch.allclose(denoiser(0.5 * z, 0.5, 0.15), denoiser(z, 1.0, 0.3), atol=1e-5)


def test_limits_of_the_noise():
    """Next to none: as it came; far more than in training: nothing is seen but the mean of skies, which is small."""
    denoiser, z = small((32, 32)), noisy(1, 1024, 0.3)
    assert torch.allclose(denoiser(z, 1.0, 1e-7), z, atol=1e-5)
    assert float(denoiser(1e4 * z, 1.0, 1e4).abs().max()) < 30 * SCALE
    assert float(denoiser.posterior(z, 1.0, 1e-7)[1].max()) < 1e-13 * torch.e


def test_the_mean_has_a_slope():
    """Guidance through the denoiser needs derivatives by x_t."""
    denoiser, z = small((24, 24)), noisy(1, 576, 0.3).requires_grad_()
    denoiser(z, 1.0, 0.3).square().sum().backward()
    assert z.grad is not None and bool(z.grad.isfinite().all()) and float(z.grad.abs().sum()) > 0


def test_it_says_what_levels_it_was_trained_at():
    low, high = small((16, 16)).trained
    assert low == pytest.approx(-2 * torch.tensor(SIGMA[1]).log()) and high == pytest.approx(
        -2 * torch.tensor(SIGMA[0]).log()
    )
