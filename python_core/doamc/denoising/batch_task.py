"""What training of the batch-conditioned eps-net draws, step by step."""

import math
from collections import deque

import numpy as np
import torch

from doamc.denoising.batch_net import BatchNet, BatchNetConfig
from doamc.denoising.batch_training import DenoisingExample, draw_moments, excess_error, make_example
from doamc.denoising.scene_start import scene_estimator
from doamc.spec import ArraySpec

#: batches drawn at once; how often they are drawn; how many of those draws are kept
DRAW, EVERY, KEPT = 128, 4, 3000
#: (P, L, SNR dB) of the validation scenes: from where the most probable scene is often wrong to where it never is
VALIDATION = ((1, 20, 0.0), (2, 200, -10.0), (2, 200, -5.0), (2, 20, 0.0), (2, 200, 10.0), (3, 200, 0.0))


class BatchTask:
    """Loss of the batch-conditioned net: error over that of the filter which knows the scene, averaged.

    Finding the most probable scene costs more than a step, so examples go through a buffer: new ones are drawn every
    few steps, and each is used a few times at other noise levels before the buffer forgets it.
    """

    kind = "batch"

    def __init__(self, spec: ArraySpec, seed: int = 0, device: str = "cpu", batch: int = 256) -> None:
        self.spec, self.seed, self.device, self.batch = spec, seed, device, batch
        config = BatchNetConfig()
        self.config = config.as_dict()
        torch.manual_seed(seed)
        self.net = BatchNet(spec, config).to(device)
        self.estimator = scene_estimator(spec)
        self.buffer: deque[DenoisingExample] = deque(maxlen=KEPT)
        most = spec.source_count[1]
        cases = [c for c in VALIDATION if c[0] <= most]
        self.held_out = [self._draw(p, length, snr, 31 + i, False, 500) for i, (p, length, snr) in enumerate(cases)]

    def _draw(
        self, p: int, length: int, snr_db: float | tuple[float, float] | None, seed: int, known: bool, count: int
    ) -> DenoisingExample:
        return make_example(self.estimator, draw_moments(self.spec, count, p, length, seed, snr_db), p, length, known)

    def _refill(self, step: int) -> None:
        seed = 1_000_003 * (self.seed + 1) + step
        rng = np.random.default_rng(seed)
        low, high = self.spec.source_count
        p = int(rng.integers(low, high + 1))
        length = int(np.exp(rng.uniform(0, math.log(self.spec.snapshot_count[1] + 1))))
        # few snapshots leave no noise subspace to estimate the noise power from
        known = length < 2 * self.spec.n_elements or rng.random() < 0.3
        bottom, top = self.spec.snr_db
        snr = None if rng.random() < 0.4 else (bottom, bottom + 0.5 * (top - bottom))
        self.buffer.append(self._draw(p, max(1, length), snr, seed, known, DRAW))

    def loss(self, step: int) -> torch.Tensor:
        """Mean excess error of examples from the buffer at random noise levels, half of them at y alone."""
        for _ in range(8 if not self.buffer else int(step % EVERY == 0)):
            self._refill(step + len(self.buffer))
        rng = np.random.default_rng(1_000_003 * (self.seed + 1) + step)
        part = self.batch // 4
        total = torch.zeros((), dtype=torch.float32)
        for j in rng.integers(len(self.buffer), size=4):
            chosen = self.buffer[j].select(torch.from_numpy(rng.permutation(DRAW)[:part])).to(self.device)
            level = torch.exp(torch.from_numpy(rng.random(part)) * math.log(1e-3))
            level[: part // 2] = 1.0
            # one batch whose most probable scene is far off must not drown the rest
            total = total + excess_error(self.net, chosen, level.to(self.device)).clamp_max(20).mean().cpu() / 4
        return total

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Excess over the filter that knows the scene, in dB: mean over the cases, with and without the net."""
        found, start = [], []
        for example in self.held_out:
            ones = torch.ones(len(example.known), dtype=torch.float64)
            found.append(float(excess_error(self.net, example.to(self.device), ones.to(self.device)).mean()))
            start.append(float(excess_error(None, example, ones).mean()))
        return {
            "validation_db": 10 * math.log10(float(np.mean(found))),
            "start_db": 10 * math.log10(float(np.mean(start))),
        }
