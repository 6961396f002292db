"""Training of the score network on scenes drawn on the fly."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from doamc.diffusion import Checkpoint, MovingAverage, VPSchedule, load_checkpoint, save_checkpoint
from doamc.posterior.draws import Example, draw_example
from doamc.posterior.features import FeatureMap
from doamc.posterior.net import NetConfig, ScoreNet
from doamc.posterior.state import StateLayout, make_layout
from doamc.spec import ArraySpec

KIND = "posterior"
LOG_SNR = (-7.0, 10.0)  #: range of lambda, natural logarithm, that training covers


@dataclass(frozen=True)
class Settings:
    """How long and how to train. batch: scenes a step; draws: noise levels a scene; seed: of scenes and weights."""

    minutes: float = 45.0
    batch: int = 512
    draws: int = 8
    rate: float = 1.2e-3
    decay: float = 0.999
    seed: int = 1
    save_seconds: float = 120.0
    device: str = "cpu"
    encoder: int = 512
    width: int = 192
    half: float = 0.75  # share of the budget run in bfloat16 products; the rest, where precision counts, in float32


def source_shares(spec: ArraySpec, batch: int) -> list[tuple[int, int]]:
    """(P, scenes of it) for one step: more scenes for more sources, which are harder, but no P starved."""
    counts = range(spec.source_count[0], spec.source_count[1] + 1)
    weight = [1.0 if p == 1 else 2.0 if p == 2 else 1.5 for p in counts]
    return [(p, max(1, round(batch * w / sum(weight)))) for p, w in zip(counts, weight, strict=True)]


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
    u = (torch.arange(draws) + torch.rand(draws, generator=generator)) / draws
    return (LOG_SNR[0] + (LOG_SNR[1] - LOG_SNR[0]) * u)[None]


def build(spec: ArraySpec, settings: Settings) -> tuple[StateLayout, FeatureMap, ScoreNet]:
    """Layout, features and an untrained network, its input standardised on one seeded batch."""
    layout, features = make_layout(spec), FeatureMap(spec)
    torch.manual_seed(settings.seed)
    net = ScoreNet(NetConfig(features.size, layout.size, encoder=settings.encoder, width=settings.width))
    x = training_batch(layout, features, 4096, 999_983)[0]
    net.shift.copy_(x.mean(0))
    net.gain.copy_(1 / x.std(0).clamp_min(0.05))
    return layout, features, net


@torch.no_grad()
def validate(net: ScoreNet, layout: StateLayout, features: FeatureMap, device: str = "cpu") -> float:
    """Loss on fixed scenes and noise that training never sees."""
    x, z, mask = (v.to(device) for v in training_batch(layout, features, 2048, 777_767))
    generator = torch.Generator().manual_seed(5)
    log_snr = stratified_log_snr(8, generator).to(device)
    eps = torch.randn(len(z), 8, layout.size, generator=generator).to(device)
    return float(loss_of(net, x, z, mask, log_snr, eps))


def train(
    spec: ArraySpec,
    path: str | Path,
    settings: Settings | None = None,
    report: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Train until the budget is used and write the averaged weights to path; resumes from path's ``.resume`` twin.

    The learning rate follows a cosine over the wall-clock budget, so a resumed run ends as planned. report is called
    after every save with {step, minutes, loss, validation}. Returns the record stored in the checkpoint.
    """
    s, path = settings or Settings(), Path(path)
    layout, features, net = build(spec, s)
    net = net.to(s.device)
    optimiser = torch.optim.AdamW(net.parameters(), lr=s.rate, betas=(0.9, 0.98), weight_decay=1e-4)
    average = MovingAverage(net, s.decay)
    twin = path.with_suffix(".resume.safetensors")
    step, used = 0, 0.0
    if twin.is_file():
        step, used = _restore(twin, spec, net, optimiser, average)
    started = saved = time.monotonic()
    running = float("nan")
    record: dict[str, Any] = {}
    while True:
        elapsed = used + (time.monotonic() - started) / 60
        done = elapsed >= s.minutes
        if done or time.monotonic() - saved > s.save_seconds:
            saved = time.monotonic()
            record = _save(path, twin, spec, s, net, optimiser, average, layout, features, step, elapsed, running)
            if report:
                report(record)
        if done:
            return record
        x, z, mask = (v.to(s.device) for v in training_batch(layout, features, s.batch, s.seed * 10_000_000 + step))
        generator = torch.Generator().manual_seed(s.seed * 10_000_019 + step)
        log_snr = stratified_log_snr(s.draws, generator).to(s.device)
        eps = torch.randn(len(z), s.draws, layout.size, generator=generator).to(s.device)
        fraction = min(1.0, elapsed / s.minutes)
        for group in optimiser.param_groups:
            group["lr"] = s.rate * min(1.0, (step + 1) / 300) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fraction)))
        with torch.autocast(s.device.split(":")[0], torch.bfloat16, enabled=fraction < s.half):
            loss = loss_of(net, x, z, mask, log_snr, eps)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        average.update(net)
        step += 1
        if step % 20 == 0:
            value = float(loss)
            running = value if math.isnan(running) else 0.95 * running + 0.05 * value


def _save(
    path: Path,
    twin: Path,
    spec: ArraySpec,
    s: Settings,
    net: ScoreNet,
    optimiser: torch.optim.Optimizer,
    average: MovingAverage,
    layout: StateLayout,
    features: FeatureMap,
    step: int,
    minutes: float,
    running: float,
) -> dict[str, Any]:
    kept = ScoreNet(net.config).to(s.device)
    kept.load_state_dict(average.state)
    loss = validate(kept, layout, features, s.device)
    record = {"step": step, "minutes": round(minutes, 2), "loss": round(running, 5), "validation": round(loss, 5),
              "scenes": step * s.batch, "seed": s.seed, "log_snr": list(LOG_SNR)}
    save_checkpoint(path, Checkpoint(KIND, spec, net.config.table(), record, average.state))
    raw = {f"net.{k}": v for k, v in net.state_dict().items()} | {f"average.{k}": v for k, v in average.state.items()}
    for i, entry in enumerate(optimiser.state_dict()["state"].values()):
        raw |= {f"first.{i}": entry["exp_avg"], f"second.{i}": entry["exp_avg_sq"]}
    save_checkpoint(twin, Checkpoint(KIND + "-resume", spec, net.config.table(), record, raw))
    return record


def _restore(
    twin: Path, spec: ArraySpec, net: ScoreNet, optimiser: torch.optim.Optimizer, average: MovingAverage
) -> tuple[int, float]:
    kept = load_checkpoint(twin, KIND + "-resume", spec)
    part = lambda name: {k[len(name) + 1 :]: v for k, v in kept.tensors.items() if k.startswith(name + ".")}  # noqa: E731
    net.load_state_dict(part("net"))
    average.state = {k: v.to(average.state[k].device) for k, v in part("average").items()}
    average.updates = step = int(kept.record["step"])
    for i, parameter in enumerate(net.parameters()):
        if f"first.{i}" in kept.tensors:
            optimiser.state[parameter] = {
                "step": torch.tensor(float(step)),
                "exp_avg": kept.tensors[f"first.{i}"].to(parameter.device),
                "exp_avg_sq": kept.tensors[f"second.{i}"].to(parameter.device),
            }
    return step, float(kept.record["minutes"])


def schedule() -> VPSchedule:
    """The noise schedule that sampling uses; training covers all log-SNR in `LOG_SNR` whatever the schedule."""
    return VPSchedule()
