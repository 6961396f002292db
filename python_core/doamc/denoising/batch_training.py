"""Training examples and loss of the batch-conditioned eps-net.

[Ho-Jain-Abbeel] algorithm 1, with its expectations taken: it draws x0, eps and t and descends
||eps - eps_theta(x_t, t)||^2. The net is linear in x_t once its batch is fixed, so the expectation over the snapshots
of a batch and over eps depends on second moments only and no snapshot has to be drawn. Signal and noise moments over L
snapshots are drawn jointly (a Wishart matrix of dimension P + N), so that the snapshots denoised are the very ones that
the statistics were made of.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from doamc.denoising.batch_net import BatchNet, factor_wiener
from doamc.denoising.scene_start import scaled_response
from doamc.denoising.wiener import filter_error
from doamc.estimators.map import MaximumAPosteriori
from doamc.scenes.prior import draw_scene
from doamc.scenes.wishart import draw_covariance
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class SecondMoments:
    """Second moments over L snapshots over the true noise power, each (B, N, N): x x^H, x n^H, n n^H, and R_x0."""

    signal: torch.Tensor
    mixed: torch.Tensor
    noise: torch.Tensor
    truth: torch.Tensor

    @property
    def covariance(self) -> torch.Tensor:
        """Sample covariance of y = x + n."""
        return self.signal + self.mixed + self.mixed.mH + self.noise

    def map(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "SecondMoments":
        """The same change of every tensor."""
        return SecondMoments(change(self.signal), change(self.mixed), change(self.noise), change(self.truth))


def draw_moments(
    spec: ArraySpec,
    batch: int,
    n_sources: int,
    n_snapshots: int,
    seed: int,
    snr_db: float | tuple[float, float] | None = None,
) -> SecondMoments:
    """Moments of scenes drawn from the prior; the same seed gives the same moments."""
    scene = draw_scene(spec, batch, n_sources, snr_db, torch.Generator().manual_seed(seed))
    n, p = spec.n_elements, n_sources
    eye = torch.eye(n + p, dtype=torch.complex128).expand(batch, -1, -1)
    joint = draw_covariance(eye, torch.full((batch,), n_snapshots), np.random.default_rng(seed))
    v = scene.response * (scene.power / scene.noise_power[:, None]).sqrt()[:, None]
    return SecondMoments(v @ joint[:, :p, :p] @ v.mH, v @ joint[:, :p, p:], joint[:, p:, p:], v @ v.mH)


@dataclass(frozen=True)
class DenoisingExample:
    """Inputs of the net for B batches, in units of the noise power that it knows of, and the moments behind them."""

    covariance: torch.Tensor  # (B, N, N)
    n_snapshots: torch.Tensor  # (B,)
    response: torch.Tensor  # (B, N, P)
    known: torch.Tensor  # (B,)
    noise_power: torch.Tensor  # (B,), the one that the net knows of, over the true one
    moments: SecondMoments

    def select(self, index: torch.Tensor) -> "DenoisingExample":
        """Some of the batches."""
        return self._map(lambda tensor: tensor[index])

    def to(self, device: str) -> "DenoisingExample":
        """On another device."""
        return self._map(lambda tensor: tensor.to(device))

    def _map(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "DenoisingExample":
        return DenoisingExample(
            change(self.covariance),
            change(self.n_snapshots),
            change(self.response),
            change(self.known),
            change(self.noise_power),
            self.moments.map(change),
        )


def make_example(
    estimator: MaximumAPosteriori, moments: SecondMoments, n_sources: int, n_snapshots: int, known: bool
) -> DenoisingExample:
    """Find the most probable scene of each batch and scale by the noise power known or found."""
    size = len(moments.signal)
    ones = torch.ones(size, dtype=torch.float64)
    none = torch.empty(0, dtype=torch.complex128)
    batch = SnapshotBatch(none, moments.covariance, n_snapshots, ones if known else None)
    response, noise = scaled_response(estimator.spec, estimator.estimate(batch, n_sources), batch)
    covariance = batch.covariance / noise[:, None, None]
    return DenoisingExample(covariance, n_snapshots * ones, response, torch.full((size,), known), noise, moments)


def excess_error(net: BatchNet | None, example: DenoisingExample, level: torch.Tensor) -> torch.Tensor:
    """Error of the denoiser over that of the Wiener filter that knows the scene, (B,).

    net: None takes the most probable scene as it is.
    level: (B,) in (0, 1], the noise of z over s2, where z combines y with x_t:
    z = x + level n + sqrt(level - level^2) w; level = 1 is y alone, where sampling begins.
    """
    m = example.moments
    factor = example.response
    if net is not None:
        factor = net(example.covariance, example.n_snapshots, example.response, example.known)
    weights = factor_wiener(factor, level / example.noise_power)
    part = level[:, None, None]
    eye = torch.eye(factor.shape[1], dtype=factor.dtype, device=level.device)
    cross = m.signal + part * m.mixed.mH  # E[z x^H]
    observed = m.signal + part * (m.mixed + m.mixed.mH) + part**2 * m.noise + (part - part**2) * eye
    values = torch.linalg.eigvalsh(m.truth).clamp_min(0)
    least = level * (values / (values + level[:, None])).sum(1)
    return filter_error(weights, m.signal, cross, observed) / least
