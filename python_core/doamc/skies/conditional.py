"""x_0 given x_t and y = H x_0 + n: what the denoiser knows and what visibilities do, put together.

The denoiser gives x_0 given x_t as N(D, C), C = V^(1/2) K V^(1/2), V its variances pixel by pixel and K the colour of
its errors. With y:

    E[x_0 | x_t, y] = D + C H^T (H C H^T + sigma_y^2 I)^-1 (y - H D)

It is solved in u of x_0 = D + V^(1/2) K^(1/2) u, u ~ N(0, I), by conjugate gradients:

    (I + K^(1/2) V^(1/2) H^T H V^(1/2) K^(1/2) / sigma_y^2) u = K^(1/2) V^(1/2) H^T (y - H D) / sigma_y^2

A draw is the same solution for a draw of N(D, C) in place of D, and y + sigma_y n': exact for this Gaussian. u is kept
as its transform, in which K and H^T H are diagonal: four FFTs an iteration, no matrix.
"""

import torch

from doamc.imaging.sampling import FourierSampling

ITERATIONS = 16  #: of conjugate gradients


class Conditional:
    """x_0 given its law given x_t, and y."""

    def __init__(
        self,
        operator: FourierSampling,
        y: torch.Tensor,  # shape: (B, R)
        noise_power: torch.Tensor,  # shape: (B, 1)
        colour: torch.Tensor,  # shape: (H, W // 2 + 1), K
        iterations: int = ITERATIONS,
    ) -> None:
        self.shape, self.iterations = operator.shape, iterations
        self.noise_power = noise_power[..., None]
        self.seen = operator.from_spectral(operator.s * y).unflatten(1, self.shape)  # H^T y
        half = self.shape[1] // 2 + 1
        gram = y.new_zeros(operator.columns)
        gram[operator.cells] = operator.s**2  # the same at k and at -k, so that H^T H is diagonal for FFTs as well
        self.gram = gram.unflatten(0, self.shape)[:, :half]
        self.root_colour = colour.to(y.dtype).sqrt()
        #: how often each value of half a spectrum stands in the whole one
        self.weight = torch.full((half, 1), 2.0, dtype=y.dtype, device=y.device)
        self.weight[0] = 1
        if self.shape[1] % 2 == 0:
            self.weight[-1] = 1

    def mean(self, mean: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
        """E[x_0 | x_t, y], (B, N). mean, variance: of x_0 given x_t, (B, N)."""
        start, root = self._images(mean, variance.sqrt())
        return self._solved(start, root, self.seen, self.noise_power).flatten(1)

    def draw(
        self, mean: torch.Tensor, variance: torch.Tensor, noise: tuple[torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        """A draw of x_0 given x_t and y, (B, N). noise: two standard normal (B, N)."""
        return self._solved(*self._drawn(mean, variance, noise), self.noise_power).flatten(1)

    def both(
        self, mean: torch.Tensor, variance: torch.Tensor, noise: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`mean` and `draw`, in less time than one after the other."""
        start, root, seen = self._drawn(mean, variance, noise)
        starts = torch.cat([self._images(mean)[0], start])
        found = self._solved(
            starts, torch.cat([root, root]), torch.cat([self.seen, seen]), self.noise_power.repeat(2, 1, 1)
        )
        of_mean, drawn = found.flatten(1).chunk(2)
        return of_mean, drawn

    def _images(self, *flat: torch.Tensor) -> list[torch.Tensor]:
        return [v.unflatten(1, self.shape) for v in flat]

    def _drawn(
        self, mean: torch.Tensor, variance: torch.Tensor, noise: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """A draw of x_0 given x_t, V^(1/2), and H^T y with the noise of y drawn once more."""
        start, root, first, second = self._images(mean, variance.sqrt(), *noise)
        start = start + root * self._back(self.root_colour * self._transform(first))
        seen = self.seen + self.noise_power.sqrt() * self._back(self.gram.sqrt() * self._transform(second))
        return start, root, seen

    def _transform(self, x: torch.Tensor) -> torch.Tensor:
        return torch.fft.rfft2(x, norm="ortho")

    def _back(self, x: torch.Tensor) -> torch.Tensor:
        return torch.fft.irfft2(x, s=self.shape, norm="ortho")

    def _inner(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        products = torch.view_as_real(a) * torch.view_as_real(b)
        return (products * self.weight).sum((1, 2, 3))[:, None, None]

    def _solved(
        self, start: torch.Tensor, root: torch.Tensor, seen: torch.Tensor, noise_power: torch.Tensor
    ) -> torch.Tensor:
        gram, colour = self.gram / noise_power, self.root_colour
        left = seen / noise_power - self._back(gram * self._transform(start))
        residual = colour * self._transform(root * left)
        u, direction = torch.zeros_like(residual), residual
        power = self._inner(residual, residual)
        for _ in range(self.iterations):
            through = self._back(gram * self._transform(root * self._back(colour * direction)))
            image = direction + colour * self._transform(root * through)
            step = power / self._inner(direction, image).clamp_min(1e-30)
            u = u + step * direction
            residual = residual - step * image
            last, power = power, self._inner(residual, residual)
            direction = residual + (power / last.clamp_min(1e-30)) * direction
        return start + root * self._back(colour * u)
