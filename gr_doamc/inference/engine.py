"""The torch side of `doa_estimator`: one batch of samples in, the values of an estimate out. Imports torch."""

import math
from typing import Any

import numpy as np
import torch

from doamc.errors import EstimatorError
from doamc.estimates.message_values import message_values
from doamc.estimators.base import DEFAULT_METHOD, Estimator
from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.estimators.incident import incident
from doamc.estimators.tuned import TunedEstimator
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import ArraySpec, load_spec


class Engine:
    """One array, with an estimator for every frequency it needs; arguments as in `gr_doamc.doa_estimator`.

    When made, it estimates a simulated batch: arguments that do not fit each other are refused now, and the first batch
    does not have to wait while torch sets itself up. For an array in metres that names no frequency of its own, this is
    done at the first batch.
    Raises SpecificationError, EstimatorError or CheckpointError when the arguments do not fit each other.
    """

    def __init__(
        self, array: str, method: str, sources: int | str, noise_power: float | None, device: str, seed: int,
        calibration: str = "",
    ) -> None:  # fmt: skip
        self.spec = load_spec(array, tunable=True)
        if sources != "auto" and not isinstance(sources, int):
            raise EstimatorError(f"sources must be 'auto' or a number, found {sources!r}")
        if noise_power is not None and not (math.isfinite(noise_power) and noise_power > 0):
            raise EstimatorError(f"noise_power must be positive, or None when it is unknown, found {noise_power}")
        self._sources = None if sources == "auto" else int(sources)
        self._noise_power, self._device = noise_power, device
        torch.manual_seed(seed)
        self._method, self._seed = (method or ("self-calibrating" if calibration else None)), seed
        self._more: dict[str, Any] = {"calibration": calibration} if calibration else {}
        self._tuned = TunedEstimator(self.spec, self._open)
        if self.spec.in_metres and self.spec.frequency_hz is None:
            self.method = method or DEFAULT_METHOD
        else:
            self.method = self._tuned.at(None).name

    @property
    def warning(self) -> str | None:
        """What is wrong with the frequencies that signals came from so far, or None."""
        return self._tuned.remark

    def estimate(self, snapshots: np.ndarray, frequency_hz: float | None = None) -> dict[str, Any]:
        """Estimate of snapshots (N, L) complex: the keyword arguments of `make_message` that concern it.

        Raises SnapshotError, EstimatorError or, for an array in metres, SpecificationError when they cannot be used.
        """
        with torch.no_grad():
            samples = torch.from_numpy(snapshots).to(self._device)
            batch = make_batch(samples, self.spec.n_elements, self._noise_power, channels=self.spec.channels)
            estimator = self._tuned.at(frequency_hz)
            estimates = incident(estimator.spec, estimate_batch(estimator, batch, self._sources))
            return message_values(estimates, calibration=estimator.state(), channels=self.spec.channels)

    def close(self) -> None:
        """Put away what the method is to remember. Raises RecordingError when that cannot be written."""
        self._tuned.close()

    def _open(self, spec: ArraySpec) -> Estimator:
        """An estimator for an array in wavelengths, that has estimated something."""
        chosen = self._method, spec, self._sources, self._device, self._seed
        estimator = open_estimator(*chosen, **self._more)
        # what a method remembers must not hold the simulated batch
        self._warm_up(open_estimator(*chosen) if estimator.sequential else estimator)
        return estimator

    def _warm_up(self, estimator: Estimator) -> None:
        generator = torch.Generator().manual_seed(0)
        spec = estimator.spec
        count = min(self._sources or 1, spec.source_count[1])
        scene = draw_scene(spec, 1, count, 10.0, generator)
        received = receive(scene, 8 * spec.n_elements, "gaussian", generator).snapshots
        noise = None if self._noise_power is None else scene.noise_power
        with torch.no_grad():
            estimate_batch(estimator, make_batch(received.to(self._device), None, noise), self._sources)
