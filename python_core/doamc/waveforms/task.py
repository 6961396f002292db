"""Training of the score network over waveforms."""

import math

import torch

from doamc.waveforms.draws import uniform
from doamc.waveforms.kinds import draw_kind, draw_training, noisy
from doamc.waveforms.net import WINDOW, WaveformNet, WaveformNetConfig

SNR_DB = (-15.0, 35.0)  #: levels of noise in training
SHORTEST = 16  #: samples of the shortest window in training


def likelihood_loss(net: WaveformNet, s: torch.Tensor, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Negative log likelihood of s as CN(D, v), in units of the Wiener filter, each sample weighted by v^(1/2).

    The weight ([Seitzer] "beta-NLL") depends on x alone, so that the best D stays the posterior mean; without it few
    samples of little variance would rule. s, x: (M, T); sigma: (M, 1).
    """
    skip, scale = 1 / (1 + sigma.square()), sigma * torch.rsqrt(1 + sigma.square())
    found, log_variance = net(x, sigma)
    error = ((s - skip * x) / scale - found).abs().square()
    loss = log_variance + error * torch.exp(-log_variance)
    return (loss * torch.exp(0.5 * log_variance.detach())).mean()


class WaveformTask:
    """Fresh waveforms of all kinds at every step, noise of any level, windows of any length."""

    kind = "waveform"

    def __init__(
        self,
        spec: None = None,
        seed: int = 0,
        device: str = "cpu",
        batch: int = 32,
        config: WaveformNetConfig | None = None,
    ) -> None:
        self.spec, self.seed, self.device, self.batch = spec, seed, device, batch
        torch.manual_seed(seed)
        self.net = WaveformNet(config).to(device)
        self.config = self.net.config.as_dict()

    def loss(self, step: int) -> torch.Tensor:
        """Loss of one step on fresh waveforms."""
        generator = torch.Generator().manual_seed(1_000_003 * (self.seed + 1) + step)
        long = float(uniform(0, 1, 1, generator)) ** 0.6  # half of the windows have 100 samples or more
        length = round(SHORTEST * (WINDOW / SHORTEST) ** long)
        # as many samples in every step: short windows come in larger batches
        count = max(self.batch // 2, min(4 * self.batch, self.batch * WINDOW // (2 * length)))
        s = draw_training(count, length, generator)
        sigma = 10 ** (-uniform(*SNR_DB, count, generator) / 20)
        x = noisy(s, sigma[:, 0], generator)
        return likelihood_loss(self.net, s.to(self.device), x.to(self.device), sigma.to(self.device))

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Error over that of the Wiener filter, in dB, of waveforms that training never sees, T = 128 at 10 dB."""
        generator, out = torch.Generator().manual_seed(1), {}
        sigma = torch.full((64, 1), 10**-0.5)
        for kind in ("qpsk", "qpsk-shaped", "cm", "gauss"):
            s = draw_kind(kind, 64, 128, generator)
            x = noisy(s, sigma[:, 0], generator)
            f = self.net(x.to(self.device), sigma.to(self.device))[0].cpu()
            skip = 1 / (1 + sigma.square())
            error = s - skip * x - sigma * skip.sqrt() * f
            ratio = error.abs().square().mean() / (s - skip * x).abs().square().mean()
            out[f"{kind}_db"] = round(10 * math.log10(float(ratio)), 3)
        return out
