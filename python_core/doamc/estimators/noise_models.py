"""Noise of receivers: its covariance over channels, besides white noise of one power.

    equal     K = s I                          one power for all channels
    channels  K = diag(s_1, ..., s_N)          a power for each, about their geometric mean by `SPREAD_DB` (log-normal)
    shared    K_ij = s r^(d_ij / d)            what neighbours share, d_ij the distance of elements, d the least of them
    common    K = s (I + c 1 1^T)              one interference in all channels alike

r lies between 0 and 1, so that K is a covariance whatever the geometry. Parameters u are logarithms: [log s],
[log s_n], [log s, log(r / (1 - r))] and [log s, log c].
"""

import math
from dataclasses import dataclass

import torch

KINDS = ("equal", "channels", "shared", "common")
SPREAD_DB = 3.0  #: standard deviation of the channels' noise powers
START_SHARED, START_COMMON = (0.3, 0.7), (0.3, 3.0)  #: r and c at which a fit starts


@dataclass(frozen=True)
class NoiseModel:
    """One of `KINDS` for elements at positions (N, 3), wavelengths."""

    kind: str
    positions: torch.Tensor

    @property
    def size(self) -> int:
        """Number of parameters u."""
        return {"equal": 1, "channels": len(self.positions)}.get(self.kind, 2)

    def starts(self) -> torch.Tensor:
        """Parameters (S, size) at which a fit starts, of s = 1."""
        if self.kind in ("equal", "channels"):
            return torch.zeros(1, self.size, dtype=torch.float64)
        sizes = [math.log(r / (1 - r)) for r in START_SHARED] if self.kind == "shared" else map(math.log, START_COMMON)
        return torch.tensor([[0.0, size] for size in sizes], dtype=torch.float64)

    def scaled(self, u: torch.Tensor, log_power: torch.Tensor) -> torch.Tensor:
        """Parameters (I, size) of exp(log_power) K, (I,)."""
        out = u.clone()
        out[:, : self.size if self.kind == "channels" else 1] += log_power[:, None]
        return out

    def covariance(self, u: torch.Tensor) -> torch.Tensor:
        """K (I, N, N) of parameters (I, size)."""
        return self.derivatives(u)[0]

    def derivatives(self, u: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """K (I, N, N) and dK/du (I, size, N, N)."""
        n = len(self.positions)
        power = u.exp()
        if self.kind == "channels":
            each = torch.diag_embed(torch.diag_embed(power))
            return each.sum(1), each
        eye = torch.eye(n, dtype=u.dtype)
        if self.kind == "equal":
            k = power[..., None] * eye
            return k, k[:, None]
        if self.kind == "common":
            part = (power[:, :1] * power[:, 1:])[..., None] * torch.ones_like(eye)
            k = power[:, :1, None] * eye + part
            return k, torch.stack([k, part], 1)
        steps = self._steps()
        r = u[:, 1].sigmoid()[:, None, None]
        k = power[:, :1, None] * r**steps
        return k, torch.stack([k, steps * (1 - r) * k], 1)

    def precision(self) -> torch.Tensor:
        """Of the normal prior over u, (size, size)."""
        if self.kind != "channels":
            return torch.zeros(self.size, self.size, dtype=torch.float64)
        n = self.size
        eye = torch.eye(n, dtype=torch.float64)
        return (eye - 1 / n) / (SPREAD_DB * math.log(10) / 10) ** 2

    def _steps(self) -> torch.Tensor:
        """Distances (N, N) in the least of them."""
        apart = torch.cdist(self.positions, self.positions)
        return apart / (apart + 1e9 * torch.eye(len(apart), dtype=apart.dtype)).min()
