"""What surprises a prior: nothing where skies are what it says they are, and what it does not expect, where it is."""

import numpy as np
import pytest
import torch

from doamc.imaging.sampling import FourierSampling
from doamc.skies.colour import error_colour
from doamc.skies.surprise import EDGES, LEVELS, RINGS, Surprise

N, COUNT, SPREAD, NOISE = 64, 8, 0.3, 0.05


class Says:
    """A prior that says the same of every sky: the mean, and the variance of white errors."""

    def posterior(self, x_t: torch.Tensor, alpha: float, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.zeros_like(x_t), torch.full_like(x_t, SPREAD**2)


def surprise(skies: torch.Tensor, levels: list[float], gain: np.ndarray | None = None) -> torch.Tensor:
    """Logarithms (COUNT, LEVELS, RINGS) after steps at these levels."""
    mask = np.zeros((N, N), bool)
    mask[:, :20] = mask[:, -19:] = True
    mask[N // 2] = False
    operator = FourierSampling(mask, gain)
    y = operator.apply(skies)
    y = y + NOISE * torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
    colour = error_colour((N, N), fall=0.0)
    ends = torch.tensor([[0.5]]), torch.tensor([[0.05]])
    found = Surprise(Says(), operator, y, torch.full((COUNT, 1), NOISE**2), colour, ends)
    for level in levels:
        found.posterior(skies, 1.0, torch.full((COUNT, 1), level))
    return found.logarithms()


@pytest.fixture
def skies() -> torch.Tensor:
    """What the prior says: white, of its spread."""
    return SPREAD * torch.randn(COUNT, N * N, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("uneven", [False, True])
def test_a_prior_that_is_right_is_not_surprised(skies, uneven):
    """24 cells of the least ring and more: a ratio of 1 to a third for one sky, a tenth for the mean of eight, as
    the deviation of a mean square of 24 is sqrt(2 / 24) = 0.29. Noise that differs by cells does not matter."""
    k = np.hypot(*np.meshgrid(*[np.fft.fftfreq(N, 1 / N)] * 2))
    found = surprise(skies, [0.5], 1 / (1 + 0.05 * k) if uneven else None)
    assert found[:, 0].mean(0).abs().max() < 0.2
    assert (found[:, 1:] == 0).all() and found.shape == (COUNT, LEVELS, RINGS)


def test_surprise_is_at_the_frequency_and_the_level_where_it_is(skies):
    """Twice the spread above 16 cycles an image: four times the power, which is log 4 but for the noise."""
    k = torch.from_numpy(np.hypot(*np.meshgrid(*[np.fft.fftfreq(N, 1 / N)] * 2))).float()
    spectrum = torch.fft.fft2(skies.unflatten(1, (N, N))) * torch.where(k >= EDGES[-1], 2.0, 1.0)
    found = surprise(torch.fft.ifft2(spectrum).real.flatten(1), [0.5, 0.05])
    assert found[:, [0, LEVELS - 1], RINGS - 1].mean() == pytest.approx(np.log(4), abs=0.15)
    assert found[:, 0, : RINGS - 1].mean(0).abs().max() < 0.2 and (found[:, 1:-1] == 0).all()
