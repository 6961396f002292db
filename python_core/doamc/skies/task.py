"""Training of the network of the prior over skies."""

import math
from collections.abc import Callable

import torch

from doamc.skies.draws import chance, log_uniform
from doamc.skies.generator import draw_skies
from doamc.skies.net import SIGMA, SkyNet, SkyNetConfig, parts

SIZE = 64  #: pixels along a side of the skies in training
HEART = (5e-3, 2.0)  #: levels of noise that every sky is seen at; and once more at any level of `SIGMA`
FACTOR = (0.5, 1.5)  #: range of peaks of half of the skies; the others have peak 1

#: count and generator -> skies (count, SIZE, SIZE) of peak 1
Draw = Callable[[int, torch.Generator], torch.Tensor]


def likelihood_loss(net: SkyNet, x: torch.Tensor, z: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Negative log likelihood of x as N(D, v e^l), in units of the Wiener filter, each pixel weighted by e^(l/2).

    The weight ([Seitzer] "beta-NLL") depends on z alone, so that the best D stays the posterior mean. x, z: (B, H, W);
    sigma: (B,).
    """
    skip, scale = (v[:, None, None] for v in parts(sigma))
    with torch.autocast(x.device.type, torch.bfloat16, enabled=quick_in_half(x.device)):
        found, log_variance = net(z, sigma)
    error = ((x - skip * z) / scale - found).square()
    loss = log_variance + error * torch.exp(-log_variance)
    return (loss * torch.exp(0.5 * log_variance.detach())).mean()


def quick_in_half(device: torch.device) -> bool:
    """Whether training multiplies in bfloat16, on a GPU and on a CPU with units for it: twice as fast."""
    return device.type == "cuda" or bool(getattr(torch.cpu, "_is_amx_tile_supported", bool)())


class SkyTask:
    """Fresh skies at every step, noise of any level."""

    kind = "sky"

    def __init__(
        self,
        spec: None = None,
        seed: int = 0,
        device: str = "cpu",
        batch: int = 16,
        config: SkyNetConfig | None = None,
        draw: Draw | None = None,
        held_out: Draw | None = None,
    ) -> None:
        """draw, held_out: skies to learn from and to validate with, by default those of the generator."""
        self.spec, self.seed, self.device, self.batch = spec, seed, device, batch
        self.draw = draw or (lambda count, generator: draw_skies(count, SIZE, generator))
        self.held_out = held_out or self.draw
        torch.manual_seed(seed)
        self.net = SkyNet(config).to(device)
        self.config = self.net.config.as_dict()

    def loss(self, step: int) -> torch.Tensor:
        """Loss of one step on fresh skies."""
        generator = torch.Generator().manual_seed(1_000_003 * (self.seed + 1) + step)
        x = self.draw(self.batch // 2, generator)
        shape = (len(x), 1, 1)
        x = x * torch.where(chance(0.5, shape, generator), log_uniform(*FACTOR, shape, generator), torch.ones(shape))
        sigma = torch.cat([log_uniform(*levels, shape, generator) for levels in (HEART, SIGMA)])
        x = torch.cat([x, x])
        z = x + sigma * torch.randn(x.shape, generator=generator, dtype=torch.float32)
        return likelihood_loss(self.net, *(v.to(self.device) for v in (x, z, sigma[:, 0, 0])))

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Error over the power of the noise, in dB, of skies that training never sees, at four levels of noise."""
        generator, out = torch.Generator().manual_seed(1), {}
        x = self.held_out(16, generator).to(self.device)
        for level in (0.001, 0.01, 0.1, 1.0):
            sigma = torch.full((len(x),), level, device=self.device)
            z = x + level * torch.randn(x.shape, generator=generator, dtype=torch.float32).to(self.device)
            skip, scale = (v[:, None, None] for v in parts(sigma))
            error = skip * z + scale * self.net(z, sigma)[0] - x
            out[f"at_{level:g}_db"] = round(10 * math.log10(float(error.square().mean()) / level**2), 3)
        return out
