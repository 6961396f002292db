"""The batch-conditioned eps-net: x_t given the whole batch that the snapshot belongs to.

One snapshot alone does not know the scene; the batch does. Given the scene, clean snapshots of Gaussian sources are
CN(0, R_x0) with R_x0 = V V^H, V = C A P^1/2, so the mean of x0 at any noise level is a Wiener filter and only V is
unknown. The network starts from the most probable scene of the batch and predicts what that leaves out:

    R_x0 = F F^H,   F = [V + E Q / sqrt(L), H / L^(1/4)]     (in units of the noise power)

with Q the columns of V at unit length; E (N x N) and H (N x P) are the network's output. E corrects the most
probable scene towards the mean of the posterior, H adds covariance where else the sources may be.
Both vanish as L grows. For a fixed batch the net is linear in x_t, so it is as fast as a matrix product.
"""

from dataclasses import asdict, dataclass

import torch
from torch import nn

from doamc.estimators.features import FeatureMap
from doamc.learning.layers import LayerNorm, Linear
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class BatchNetConfig:
    """Hyper-parameters: width and number of residual blocks."""

    width: int = 384
    blocks: int = 3

    def as_dict(self) -> dict[str, int]:
        """What a checkpoint records."""
        return asdict(self)


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.up, self.down = LayerNorm(width), Linear(width, width), Linear(width, width)
        nn.init.zeros_(self.down.weight)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        return h + self.down(nn.functional.silu(self.up(self.norm(h))))


class BatchNet(nn.Module):
    """Signal covariance of a batch from its sample covariance."""

    def __init__(self, spec: ArraySpec, config: BatchNetConfig | None = None) -> None:
        super().__init__()
        self.spec, self.config = spec, config or BatchNetConfig()
        self.features = FeatureMap(spec)
        n, p = spec.n_elements, spec.source_count[1]
        self.shape = (n, n + p)
        width = self.config.width
        self._scene_size = p * (2 * n + 1)
        self.first = Linear(self.features.size + self._scene_size, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(self.config.blocks))
        self.norm, self.last = LayerNorm(width), Linear(width, 2 * n * (n + p))
        nn.init.zeros_(self.last.weight)
        nn.init.normal_(self.last.bias, std=0.02)  # F F^H has no slope at H = 0

    def forward(
        self,
        covariance: torch.Tensor,  # shape: (B, N, N), sample covariance over the noise power
        n_snapshots: torch.Tensor,  # shape: (B,)
        response: torch.Tensor,  # shape: (B, N, P), V of the most probable scene over the root of the noise power
        known: torch.Tensor,  # shape: (B,), bool: noise power known beforehand
    ) -> torch.Tensor:
        """Factor F (B, N, 2 P) of the signal covariance over the noise power."""
        p = response.shape[2]
        count = torch.full((len(covariance),), p, device=covariance.device)
        ones = torch.ones(len(covariance), dtype=torch.float32, device=covariance.device)
        statistics = self.features(covariance, n_snapshots, count, ones, known)
        h = self.first(torch.cat([statistics, self._scene_features(response)], 1))
        for block in self.blocks:
            h = block(h)
        out = self.last(self.norm(h)).double().reshape(-1, *self.shape, 2)
        correction, hidden = torch.view_as_complex(out).split([self.shape[0], self.shape[1] - self.shape[0]], 2)
        q = response / response.norm(dim=1, keepdim=True).clamp_min(1e-9)
        length = n_snapshots[:, None, None].double()
        return torch.cat([response + correction @ q / length.sqrt(), hidden[..., :p] * length**-0.25], 2)

    def _scene_features(self, response: torch.Tensor) -> torch.Tensor:
        """Each source's unit response relative to element 0, and its log power: (B, P_max (2 N + 1)), zero-padded."""
        size = response.abs().square().mean(1, keepdim=True).sqrt().clamp_min(1e-6)
        unit = response / size * torch.polar(torch.ones_like(size), -response[:, :1].angle())
        level = size.log().transpose(1, 2) / 3
        part = torch.cat([torch.view_as_real(unit.transpose(1, 2)).flatten(2), level], 2).flatten(1).float()
        return nn.functional.pad(part, (0, self._scene_size - part.shape[1]))


def factor_wiener(factor: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Wiener filter F (F^H F + v I)^-1 F^H for noise powers v (B,) in units of s2: (B, N, N), differentiable."""
    eye = torch.eye(factor.shape[2], dtype=factor.dtype, device=factor.device)
    gram = factor.mH @ factor + noise[:, None, None] * eye
    return factor @ torch.linalg.solve(gram, factor.mH)
