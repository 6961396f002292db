"""What training of the score network draws, step by step, and how it is judged."""

from typing import Any

import numpy as np
import torch

from doamc.estimators.features import FeatureMap
from doamc.posterior.options import Options
from doamc.posterior.pipeline import PosteriorSampler
from doamc.posterior.proposals.network import NetConfig, ScoreNet
from doamc.posterior.proposals.scene_vector import StateLayout, make_layout
from doamc.posterior.training.bayes_limit import hit_rate, limit_scenes, scenes_near_limit
from doamc.posterior.training.examples import Example, draw_example
from doamc.spec import ArraySpec

LOG_SNR = (-7.0, 10.0)  #: range of lambda, natural logarithm, that training covers
DRAWS = 8  #: noise levels per scene; the encoder runs once for all of them
FREQUENCIES = 33  #: of a range, evenly spaced, that training draws from
AT_ONCE = 4  #: frequencies in one step

Place = tuple[StateLayout, FeatureMap]


class PosteriorTask:
    """Loss of v over scenes drawn on the fly; the same step of the same seed gives the same scenes and noise."""

    kind = "posterior"

    def __init__(self, spec: ArraySpec, seed: int = 0, device: str = "cpu", batch: int = 512) -> None:
        self.spec, self.seed, self.device, self.batch = spec, seed + 1, torch.device(device), batch
        self.layout, self.features = make_layout(spec), FeatureMap(spec)
        self.places = places_of(spec)
        torch.manual_seed(self.seed)
        self.net = ScoreNet(NetConfig(self.features.size, self.layout.size))
        x = mixed_batch(self.places, 4096, 999_983)[0]
        self.net.shift.copy_(x.mean(0))
        self.net.gain.copy_(1 / x.std(0).clamp_min(0.05))
        self.net.to(self.device)
        self.config: dict[str, Any] = self.net.config.table()
        self.judged, self.limit = scenes_near_limit(spec, limit_scenes(spec))

    def loss(self, step: int) -> torch.Tensor:
        """Loss of one step; products are taken in bfloat16, sums and weights in float32."""
        x, z, mask = mixed_batch(self.places, self.batch, self.seed * 10_000_000 + step)
        generator = torch.Generator().manual_seed(self.seed * 10_000_019 + step)
        with torch.autocast(self.device.type, torch.bfloat16):
            return self._loss(x, z, mask, generator)

    def _loss(self, x: torch.Tensor, z: torch.Tensor, mask: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        log_snr = stratified_log_snr(DRAWS, generator)
        eps = torch.randn(len(z), DRAWS, z.shape[1], generator=generator, dtype=torch.float32)
        return loss_of(self.net, *(v.to(self.device) for v in (x, z, mask, log_snr, eps)))

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Loss on scenes that training never sees; hit rate of whole estimates beside the Bayes limit."""
        generator = torch.Generator().manual_seed(5)
        loss = float(self._loss(*mixed_batch(self.places, 2048, 777_767), generator))
        e = self.judged
        sources = e.scene.azimuth.shape[1]
        sampler = PosteriorSampler(self.net, self.layout, self.features, sources, Options())
        samples = sampler(e.covariance.to(self.device), e.snapshots.to(self.device), None)
        return {
            "validation": round(loss, 5),
            "hit": hit_rate(samples.x, samples.coordinates, e.scene),
            "limit": self.limit,
        }


def source_shares(spec: ArraySpec, batch: int) -> list[tuple[int, int]]:
    """(P, scenes of it) for one step: more scenes for two sources and up, which are harder, but no P starved."""
    counts = range(spec.source_count[0], spec.source_count[1] + 1)
    weight = [1.0 if p == 1 else 2.0 if p == 2 else 1.5 for p in counts]
    return [(p, max(1, round(batch * w / sum(weight)))) for p, w in zip(counts, weight, strict=True)]


def places_of(spec: ArraySpec) -> list[Place]:
    """Layout and features at the frequencies that training covers: that of the specification, or a range of them."""
    if spec.frequency_range is None:
        return [(make_layout(spec), FeatureMap(spec))]
    frequencies = torch.linspace(*spec.frequency_range, FREQUENCIES, dtype=torch.float64).tolist()
    return [(make_layout(at), FeatureMap(at)) for at in map(spec.at, frequencies)]


def mixed_batch(places: list[Place], batch: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A training batch at the only place, or from a few places drawn at random."""
    if len(places) == 1:
        layout, features = places[0]
        return training_batch(layout, features, batch, seed)
    chosen = np.random.default_rng(seed).choice(len(places), AT_ONCE, replace=False)
    parts = []
    for i, k in enumerate(chosen):
        layout, features = places[k]
        parts.append(training_batch(layout, features, batch // AT_ONCE, AT_ONCE * seed + i))
    x, z, mask = (torch.cat(group) for group in zip(*parts, strict=True))
    return x, z, mask


def training_batch(
    layout: StateLayout, features: FeatureMap, batch: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Features (B, F), states z (B, D) and masks (B, D) of a seeded mixture over the number of sources."""
    examples: list[tuple[int, Example]] = []
    for p, share in source_shares(layout.spec, batch):
        examples.append((p, draw_example(layout.spec, share, p, seed * 16 + p)))
    count = torch.cat([torch.full((len(e.snapshots),), p) for p, e in examples])
    x = features(
        torch.cat([e.covariance for _, e in examples]),
        torch.cat([e.snapshots for _, e in examples]),
        count,
        torch.cat([e.scene.noise_power for _, e in examples]),
        torch.cat([e.known for _, e in examples]),
    )
    return x, torch.cat([layout.encode(e.scene) for _, e in examples]), layout.mask(count)


def loss_of(
    net: ScoreNet,
    x: torch.Tensor,  # shape: (B, F)
    z: torch.Tensor,  # shape: (B, D)
    mask: torch.Tensor,  # shape: (B, D)
    log_snr: torch.Tensor,  # shape: (1, S)
    eps: torch.Tensor,  # shape: (B, S, D)
) -> torch.Tensor:
    """Mean squared error of v over the coordinates that exist."""
    area = torch.nn.functional.softplus(-log_snr)  # int beta, of any variance-preserving schedule
    alpha, sigma = torch.exp(-0.5 * area)[..., None], torch.sqrt(-torch.expm1(-area))[..., None]
    eps = eps * mask[:, None]
    v = net(alpha * z[:, None] + sigma * eps, log_snr, x)
    error = (v - (alpha * eps - sigma * z[:, None])) * mask[:, None]
    return error.square().sum() / (mask.sum() * log_snr.shape[1])


def stratified_log_snr(draws: int, generator: torch.Generator) -> torch.Tensor:
    """Noise levels (1, draws), one in each of as many equal parts of the range."""
    u = (torch.arange(draws) + torch.rand(draws, generator=generator, dtype=torch.float32)) / draws
    return (LOG_SNR[0] + (LOG_SNR[1] - LOG_SNR[0]) * u)[None]
