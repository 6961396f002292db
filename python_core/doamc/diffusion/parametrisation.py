"""What a network may predict: eps, x0 ("image prediction"), score or v; each is a linear function of x_0 and x_t.

    eps = (x_t - alpha x_0) / sigma       score = -eps / sigma = (alpha x_0 - x_t) / sigma^2       v = alpha eps -
    sigma x_0

For complex x the score is the gradient of log p by the conjugate of x_t, so that with circular noise of unit power
the formulas are those of real x; [Luo-Fung] eqs. (24)-(30), v from [Salimans-Ho] appendix D.
"""

from collections.abc import Callable

import torch

from doamc.errors import SamplerError

#: names of what a head predicts
KINDS = ("eps", "x0", "score", "v")


def _check(kind: str) -> None:
    if kind not in KINDS:
        raise SamplerError(f"parametrisation must be one of {', '.join(KINDS)}, found {kind!r}")


def to_x0(kind: str, output: torch.Tensor, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
    """x_0 from what a head predicted; any shape. eps and score need alpha > 0, v and x0 do not."""
    _check(kind)
    if kind == "x0":
        return output
    if kind == "eps":
        return (x_t - sigma * output) * (1 / alpha)
    if kind == "score":
        return (x_t + sigma**2 * output) / alpha
    return (alpha * x_t - sigma * output) / (alpha**2 + sigma**2)


def from_x0(kind: str, x_0: torch.Tensor, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
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

    The log-SNR of each noise level becomes a tensor once, on the network's device, not in every step.
    """

    def __init__(self, net: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], kind: str = "eps") -> None:
        _check(kind)
        self.net, self.kind = net, kind
        self._log_snr: dict[tuple[float, float, torch.device, torch.dtype], torch.Tensor] = {}

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Mean of x_0 given x_t, as the network has it."""
        key = (alpha, sigma, x_t.device, x_t.dtype)
        log_snr = self._log_snr.get(key)
        if log_snr is None:
            ratio = torch.tensor([alpha / sigma], dtype=torch.float64)
            log_snr = self._log_snr[key] = (2 * ratio.log()).to(x_t.device, x_t.real.dtype)
        return to_x0(self.kind, self.net(x_t, log_snr), x_t, alpha, sigma)
