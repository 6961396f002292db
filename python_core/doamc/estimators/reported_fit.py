"""How badly a batch fits what any method reports of it.

Of a method that fits powers and noise, its own model is looked at. Others find directions alone: their subspace is,
R = V S V^H + s2 I with the S and s2 of maximum likelihood given V = C A (Böhme, Proc. IEEE ICASSP 1986), that is,
sources of any correlation.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch

from doamc.arrays.steering import plain_steering, steering
from doamc.estimators.causes import causes_of
from doamc.estimators.misfit import Misfit, misfit_of_fit
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

if TYPE_CHECKING:
    from doamc.estimators.base import Estimates


@torch.no_grad()
def with_fit(spec: ArraySpec, batch: SnapshotBatch, e: "Estimates", fits_powers: bool) -> "Estimates":
    """The estimates with misfit, its probability and its cause; misfit and probability stay where there are some.

    A batch of moments alone, without its snapshots, is not looked at. fits_powers: whether powers and noise power are
    part of what the method fits.
    """
    if batch.snapshots.ndim != 3:
        return e
    if e.misfit is None:
        found = reported_misfit(spec, batch, e, fits_powers)
        e = e.having(misfit=found.misfit, fit_probability=found.probability)
    return e if e.fit_cause is not None else e.having(fit_cause=causes_of(spec, batch, e))


def reported_misfit(spec: ArraySpec, batch: SnapshotBatch, e: "Estimates", fits_powers: bool) -> Misfit:
    """Misfit of estimates (B, P), P >= 0; NaN where they have no coupling or no noise power."""
    covariance, p = batch.covariance, e.azimuth.shape[1]
    coupled = e.coupled
    v = response_of(spec, e) if p else covariance[:, :, :0]
    known = batch.noise_power is not None
    angles = 2 * p if spec.elevated else p
    fitted = angles + (p if fits_powers else p * p)
    if fits_powers:
        v, noise = v * e.power.clamp_min(0).nan_to_num(0.0).sqrt()[:, None], e.noise_power
    else:
        noise = e.noise_power if known else torch.full_like(e.noise_power, torch.nan)
    if not spec.family.narrow and coupled:
        fitted += spec.family.n_parameters
    lengths = batch.effective.lengths(p)
    return misfit_of_fit(covariance, v, noise, lengths, fitted + (not known), free=not fits_powers)


def response_of(spec: ArraySpec, e: "Estimates") -> torch.Tensor:
    """C A (B, N, P), zero for sources that are not there."""
    if e.response is not None:
        return e.response
    azimuth = e.azimuth.cpu().numpy()
    there = np.isfinite(azimuth)
    if not there.all():
        azimuth = np.where(there, azimuth, 0.0)
    if e.elevation is None:
        a = plain_steering(spec.positions, azimuth)
    else:
        a = steering(spec.positions, torch.from_numpy(azimuth), e.elevation.nan_to_num(0.0).cpu()).numpy()
    if e.coupling_by_direction is not None:
        v = np.einsum("bpij,bjp->bip", e.coupling_by_direction.resolve_conj().nan_to_num(0.0).cpu().numpy(), a)
    else:
        v = e.coupling.resolve_conj().cpu().numpy() @ a
    return torch.from_numpy(v if there.all() else v * there[:, None]).to(e.coupling.device)
