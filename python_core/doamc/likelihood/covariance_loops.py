"""The likelihood of a `CovarianceModel` by the compiled loops, for descents: one call where tensors take dozens.

The loops know amplitudes and any linear coupling with real coefficients, in any order of the coordinates; the logarithm
of a power is twice that of an amplitude. One snapshot is counted, and no prior.
"""

import math

import numpy as np
import torch

from doamc.likelihood.backend import loops_for
from doamc.likelihood.kernels import Kernels
from doamc.likelihood.model import Model, evenly
from doamc.scenes.covariance import CovarianceModel


class CovarianceLoops:
    """Negative log-likelihood per snapshot of a covariance model, with gradient and Fisher information."""

    def __init__(self, kernels: Kernels, model: CovarianceModel) -> None:
        family, p = model.spec.family, model.n_sources
        k, wave, elevated = family.n_parameters, 2 * math.pi * model.spec.positions, model.spec.elevated
        steer, first, d = wave[:, :2], model.first_power, model.size
        mean, basis = (family.centre, family.basis) if model.series is None else model.series.extended
        self.kernels, none = kernels, np.zeros(d)
        self.model = Model(
            steer=np.ascontiguousarray(steer.numpy()), rise=np.ascontiguousarray(wave[:, 2].numpy()),
            even=evenly(steer.numpy()) and not elevated, elevated=elevated,
            mean=_plain(mean), patterns=_plain(basis), hermitian=False, n_real=k, n_normal=0,
            n_sources=p, n_flat=k, n_pairs=0, unknown_noise=True, places=(first, first + p, d - 1, 0, 0, 0, 0, p),
            low=none, high=none, n_box=0, gap=2.0 if elevated else -1.0, circle=False,
        )  # fmt: skip
        self._scale = np.ones(d)
        self._scale[first : first + p] = 0.5

    def __call__(
        self,
        covariance: np.ndarray,  # shape: (B, N, N)
        item: np.ndarray,  # shape: (M,), int64, which of these each point belongs to
        x: np.ndarray,  # shape: (M, D)
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Value (M,), gradient (M, D) and Fisher information (M, D, D) at x; infinite where there is no value."""
        once = np.ones(len(covariance))  # the logarithm of a known noise power, too, which is not read
        data = np.ascontiguousarray(covariance), once, once
        found = self.kernels.descent(self.model, data, item, np.ascontiguousarray(x), self._scale)
        return torch.from_numpy(found[0]), torch.from_numpy(found[1]), torch.from_numpy(found[2])


def covariance_loops(model: CovarianceModel, device: torch.device) -> CovarianceLoops | None:
    """The compiled loops for a model, made once for it; None where there are none for this device."""
    kernels = loops_for(device)
    if kernels is None:
        return None
    held = model.__dict__
    if "_loops" not in held:
        held["_loops"] = CovarianceLoops(kernels, model)
    return held["_loops"]


def _plain(x: torch.Tensor) -> np.ndarray:
    return np.ascontiguousarray(x.resolve_conj().to(torch.complex128).numpy())
