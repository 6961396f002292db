"""What a network may predict: eps, x0 ("image prediction"), score or v; each is a linear function of x_0 and x_t.

    eps = (x_t - alpha x_0) / sigma       score = -eps / sigma = (alpha x_0 - x_t) / sigma^2       v = alpha eps -
    sigma x_0

For complex x the score is the gradient of log p by the conjugate of x_t, so that with circular noise of unit power
the formulas are those of real x; [Luo-Fung] eqs. (24)-(30), v from [Salimans-Ho] appendix D.
"""

import math
from collections.abc import Callable

import torch

from doamc.diffusion.denoiser import Level
from doamc.errors import SamplerError

#: names of what a head predicts
KINDS = ("eps", "x0", "score", "v")


def _check(kind: str) -> None:
    if kind not in KINDS:
        raise SamplerError(f"parametrisation must be one of {', '.join(KINDS)}, found {kind!r}")


def to_x0(kind: str, output: torch.Tensor, x_t: torch.Tensor, alpha: Level, sigma: Level) -> torch.Tensor:
    """x_0 from what a head predicted; any shape. eps and score need alpha > 0, v and x0 do not."""
    _check(kind)
    if kind == "x0":
        return output
    if kind == "eps":
        return (x_t - sigma * output) * (1 / alpha)
    if kind == "score":
        return (x_t + sigma**2 * output) / alpha
    return (alpha * x_t - sigma * output) / (alpha**2 + sigma**2)


def from_x0(kind: str, x_0: torch.Tensor, x_t: torch.Tensor, alpha: Level, sigma: Level) -> torch.Tensor:
    """What a head of this kind would predict where the mean of x_0 is known: the inverse of `to_x0`."""
    _check(kind)
    if kind == "x0":
        return x_0
    if kind == "eps":
        return (x_t - alpha * x_0) / sigma
    if kind == "score":
        return (alpha * x_0 - x_t) / sigma**2
    return (alpha * x_t - (alpha**2 + sigma**2) * x_0) / sigma


class NetworkDenoiser:
    """A network with one head as a denoiser. The network is called as net(x_t, log_snr), log_snr of shape (1,).

    It is trained on states of unit size, alpha^2 + sigma^2 = 1; states of other schedules are brought to that.
    trained: log-SNRs (low, high) that the network knows, None for all; `grid.within` keeps a grid inside, and `sample`
    refuses one that leaves it. dtype: of the states that the network takes, None for any.
    """

    def __init__(
        self,
        net: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        kind: str = "eps",
        trained: tuple[float, float] | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        _check(kind)
        self.net, self.kind, self.trained, self.dtype = net, kind, trained, dtype
        self._log_snr: dict[tuple[float, torch.device], torch.Tensor] = {}

    def __call__(self, x_t: torch.Tensor, alpha: Level, sigma: Level) -> torch.Tensor:
        """Mean of x_0 given x_t, as the network has it."""
        state = x_t
        if isinstance(alpha, torch.Tensor) or isinstance(sigma, torch.Tensor):
            log_snr = (2 * (torch.as_tensor(alpha) / sigma).log()).reshape(-1)
        else:
            size = math.hypot(alpha, sigma)
            if abs(size - 1) > 1e-12:
                state, alpha, sigma = x_t / size, alpha / size, sigma / size
            log_snr = self._at(alpha / sigma, x_t.device)
        given = state if self.dtype is None else state.to(self.dtype)
        output = self.net(given, log_snr.to(given.device, given.real.dtype)).to(x_t.dtype)
        return to_x0(self.kind, output, state, alpha, sigma)

    def _at(self, ratio: float, device: torch.device) -> torch.Tensor:
        """Log-SNR of a noise level, which becomes a tensor once, on the network's device, and not in every step."""
        key = (ratio, device)
        if key not in self._log_snr:
            self._log_snr[key] = torch.tensor([2 * math.log(ratio)], dtype=torch.float64, device=device)
        return self._log_snr[key]
