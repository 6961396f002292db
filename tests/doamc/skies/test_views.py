"""Views of a sky: what the prior is off by in each of them cancels over all."""

import pytest
import torch

from doamc.skies.views import Views, back, viewed


@pytest.mark.parametrize("view", range(8))
def test_a_view_is_turned_back(view):
    image = torch.arange(2 * 3 * 4.0).reshape(2, 3, 4)
    assert torch.equal(back(viewed(image, view), view), image)


def test_eight_views_are_the_symmetries_of_a_square():
    """All different, and closed: a view of a view is one of them."""
    image = torch.arange(9.0).reshape(3, 3)
    views = {tuple(viewed(image, k).flatten().tolist()) for k in range(8)}
    again = {tuple(viewed(viewed(image, k), j).flatten().tolist()) for k in range(8) for j in range(8)}
    assert len(views) == 8 and again == views


class Leaning:
    """Half of x_t, and too bright in one corner; its variance says where."""

    def __init__(self, shape: tuple[int, int]) -> None:
        corner = torch.zeros(shape)
        corner[0, 0] = 1
        self.lean = corner.flatten()

    def posterior(self, x_t, alpha, sigma):
        return 0.5 * x_t + self.lean, (1 + self.lean).expand_as(x_t)


@pytest.mark.parametrize(("shape", "count"), [((4, 4), 8), ((3, 5), 4)])
def test_over_all_views_errors_are_shared_by_the_corners(shape, count):
    prior = Views(Leaning(shape), shape)
    x_t, level = torch.randn(2, shape[0] * shape[1]), torch.ones(2, 1)
    found = [prior.posterior(x_t, 1.0, level) for _ in range(count)]
    corners = torch.zeros(shape)
    corners[[0, 0, -1, -1], [0, -1, 0, -1]] = 0.25
    mean, variance = (torch.stack(v).mean(0) for v in zip(*found, strict=True))
    assert torch.allclose(mean, 0.5 * x_t + corners.flatten(), atol=1e-6)
    assert torch.allclose(variance, (1 + corners.flatten()).expand_as(x_t), atol=1e-6)
