"""What a diffusion network is trained on. Each loss is a mean per complex (or real) component of x_0.

A network is called as net(x_t, log_snr) with log_snr (B,) and predicts what `kind` says (`parametrisation`). Noise
is circular with unit power where x_0 is complex, and the score is the gradient by the conjugate, so formulas agree
for real and complex.
"""

from collections.abc import Callable

import torch

from doamc.diffusion.ddpm_index import alpha_bar
from doamc.diffusion.parametrisation import from_x0, to_x0
from doamc.diffusion.schedules import NoiseSchedule

#: net(x_t (B, ...), log_snr (B,)) -> prediction (B, ...)
Network = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
#: score(x (B, ...)) -> (B, ...) at one noise level
Score = Callable[[torch.Tensor], torch.Tensor]


def _noise(like: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    return torch.randn(like.shape, dtype=like.dtype, device=like.device, generator=generator)


def _columns(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """(B,) float64 as a real (B, 1, ...) beside a state."""
    dtype = like.real.dtype if like.is_complex() else like.dtype
    return values.to(like.device, dtype).reshape(-1, *[1] * (like.ndim - 1))


def _predict(
    net: Network, x_0: torch.Tensor, alpha: torch.Tensor, sigma: torch.Tensor, generator: torch.Generator | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """x_t, alpha, sigma as columns, and what the network says of them."""
    a, s = _columns(alpha, x_0), _columns(sigma, x_0)
    x_t = a * x_0 + s * _noise(x_0, generator)
    return x_t, a, s, net(x_t, _columns(2 * (alpha.log() - sigma.log()), x_0).flatten())


def ddpm_loss(
    net: Network,
    x_0: torch.Tensor,  # shape: (B, ...)
    schedule: NoiseSchedule,
    kind: str = "eps",
    generator: torch.Generator | None = None,
    t_min: float = 1e-3,
) -> torch.Tensor:
    """[Ho-Jain-Abbeel] algorithm 1: E |target - net(x_t)|^2, t uniform on (t_min, t_max); for "eps" that is noise."""
    u = torch.rand(len(x_0), dtype=torch.float64, generator=generator)
    alpha, sigma = schedule(t_min + (getattr(schedule, "t_max", 1.0) - t_min) * u)
    x_t, a, s, found = _predict(net, x_0, alpha, sigma, generator)
    target = from_x0(kind, x_0, x_t, a, s)  # tensors broadcast like floats
    return (found - target).abs().square().mean()


def variational_loss(
    net: Network,
    x_0: torch.Tensor,
    schedule: NoiseSchedule,
    n_steps: int,
    kind: str = "eps",
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """The weighted bound, [Chan] eq. (55), in nats per component: sum over i = 2..T of w_i |x_0 - x_0_hat|^2.

    One i is drawn for each item. w_i = (1 - alpha_i)^2 abar_{i-1} / (sigma_q^2 (1 - abar_i)^2) = SNR_{i-1} - SNR_i,
    halved for real data: the KL divergence of step i between q(x_{i-1} | x_i, x_0) and the network's, both of variance
    sigma_q^2. The first step, whose q has no variance, is the reconstruction term and left out.
    """
    kept = alpha_bar(schedule, n_steps)
    snr = kept / (1 - kept)
    index = torch.randint(2, n_steps + 1, (len(x_0),), generator=generator)
    x_t, a, s, found = _predict(net, x_0, kept[index].sqrt(), (1 - kept[index]).sqrt(), generator)
    estimate = to_x0(kind, found, x_t, a, s)
    weight = _columns((n_steps - 1) * (snr[index - 1] - snr[index]) * (1.0 if x_0.is_complex() else 0.5), x_0)
    return (weight * (x_0 - estimate).abs().square()).mean()


def score_matching_loss(
    score: Network,
    x_0: torch.Tensor,
    schedule: NoiseSchedule,
    generator: torch.Generator | None = None,
    t_min: float = 1e-3,
) -> torch.Tensor:
    """Denoising score matching over all noise levels, VE or VP, weighted by sigma^2: E |sigma s(x_t) + eps|^2.

    sigma^2 makes all levels count alike; with s = -eps_theta / sigma it is `ddpm_loss`.
    """
    u = torch.rand(len(x_0), dtype=torch.float64, generator=generator)
    alpha, sigma = schedule(t_min + (getattr(schedule, "t_max", 1.0) - t_min) * u)
    x_t, a, s, found = _predict(score, x_0, alpha, sigma, generator)
    return (s * found + (x_t - a * x_0) / s).abs().square().mean()


def denoising_score_loss(
    score: Score, x: torch.Tensor, sigma: float, generator: torch.Generator | None = None
) -> torch.Tensor:
    """[Chan] eq. (85) at one noise level, corrected: E 1/2 |s(x + sigma z) + z / sigma|^2."""
    z = _noise(x, generator)
    return 0.5 * (score(x + sigma * z) + z / sigma).abs().square().mean()


class KernelDensity:
    """q(x) = mean over the data of N(x; x_m, h^2), [Chan] eq. (80): the baseline of textbooks.

    It needs the distance to every datum for every score, and h must grow with the dimension: use denoising score
    matching for anything but comparison.
    """

    def __init__(self, data: torch.Tensor, bandwidth: float) -> None:
        """data (M, N); bandwidth h > 0, the noise is circular where the data are complex."""
        self.data, self.bandwidth = data, bandwidth

    def score(self, x: torch.Tensor) -> torch.Tensor:
        """Gradient of log q by the conjugate of x, (B, N) -> (B, N)."""
        half = 1.0 if x.is_complex() else 0.5
        distance = (x[:, None] - self.data).abs().square().sum(2)
        share = torch.softmax(-half * distance / self.bandwidth**2, 1)
        return (share.to(x.dtype) @ self.data - x) / self.bandwidth**2

    def draw(self, count: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Samples of q, (count, N)."""
        chosen = self.data[torch.randint(len(self.data), (count,), generator=generator)]
        return chosen + self.bandwidth * _noise(chosen, generator)


def explicit_score_loss(
    score: Score, density: KernelDensity, count: int, generator: torch.Generator | None = None
) -> torch.Tensor:
    """[Chan] eqs. (81)-(82): E_q 1/2 |s(x) - grad log q(x)|^2 over `count` draws of a kernel density.

    Differs from `denoising_score_loss` on the same data with sigma = h by a constant, [Chan] eq. (87), after [Vincent].
    """
    x = density.draw(count, generator)
    return 0.5 * (score(x) - density.score(x)).abs().square().mean()
