"""The torch side of `doa_estimator`: one batch of samples in, the figures of an estimate out. Imports torch."""

import math
from typing import Any

import numpy as np
import torch

from doamc.errors import EstimatorError
from doamc.estimates.figures import message_figures
from doamc.estimators.base import Estimator
from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec


class Engine:
    """One estimator for one array; arguments as in `gr_doamc.doa_estimator`.

    It estimates one simulated batch at once: what does not fit each other shows now instead of at the first batch, and
    that does not have to wait for what torch does when first used.
    Raises SpecificationError, EstimatorError or CheckpointError when the arguments do not fit each other.
    """

    def __init__(
        self, array: str, method: str, sources: int | str, noise_power: float | None, device: str, seed: int,
        calibration: str = "",
    ) -> None:  # fmt: skip
        self.spec = load_spec(array)
        if sources != "auto" and not isinstance(sources, int):
            raise EstimatorError(f"sources must be 'auto' or a number, found {sources!r}")
        if noise_power is not None and not (math.isfinite(noise_power) and noise_power > 0):
            raise EstimatorError(f"noise_power must be positive, or None when it is unknown, found {noise_power}")
        self._sources = None if sources == "auto" else int(sources)
        self._noise_power, self._device = noise_power, device
        torch.manual_seed(seed)
        chosen = (method or ("self-calibrating" if calibration else None)), self.spec, self._sources, device, seed
        more = {"calibration": calibration} if calibration else {}
        self._estimator = open_estimator(*chosen, **more)
        self.method = self._estimator.name
        # what a method remembers must not hold the simulated batch
        self._warm_up(open_estimator(*chosen) if self._estimator.sequential else self._estimator)

    def estimate(self, snapshots: np.ndarray) -> dict[str, Any]:
        """Estimate of snapshots (N, L) complex: the keyword arguments of `make_message` that concern it.

        Raises SnapshotError or EstimatorError when they cannot be used.
        """
        with torch.no_grad():
            samples = torch.from_numpy(snapshots).to(self._device)
            batch = make_batch(samples, self.spec.n_elements, self._noise_power)
            estimates = estimate_batch(self._estimator, batch, self._sources)
            return message_figures(estimates, calibration=self._estimator.state())

    def close(self) -> None:
        """Put away what the method is to remember. Raises RecordingError when that cannot be written."""
        self._estimator.close()

    def _warm_up(self, estimator: Estimator) -> None:
        generator = torch.Generator().manual_seed(0)
        count = min(self._sources or 1, self.spec.source_count[1])
        scene = draw_scene(self.spec, 1, count, 10.0, generator)
        received = receive(scene, 8 * self.spec.n_elements, "gaussian", generator).snapshots
        noise = None if self._noise_power is None else scene.noise_power
        with torch.no_grad():
            estimate_batch(estimator, make_batch(received.to(self._device), None, noise), self._sources)
