"""How badly a batch fits what any method reports of it.

Of a method that fits powers and noise, its own model is looked at. Others find directions alone: their subspace is,
R = V S V^H + s2 I with the S and s2 of maximum likelihood given V = C A (Böhme, Proc. IEEE ICASSP 1986), that is,
sources of any correlation.
"""

import numpy as np
import torch

from doamc.arrays.steering import plain_steering, steering
from doamc.estimators.causes import causes_of
from doamc.estimators.estimates import Estimates
from doamc.estimators.misfit import Misfit, misfit_of_fit, misfit_of_size
from doamc.likelihood.backend import loops_for
from doamc.likelihood.estimator_loops import reported
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


def with_fit(spec: ArraySpec, batch: SnapshotBatch, e: Estimates, fits_powers: bool) -> Estimates:
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


def reported_misfit(spec: ArraySpec, batch: SnapshotBatch, e: Estimates, fits_powers: bool) -> Misfit:
    """Misfit of estimates (B, P), P >= 0; NaN where they have no coupling or no noise power."""
    p, known = e.azimuth.shape[1], batch.noise_power is not None
    lengths = batch.effective.lengths(p)
    noise = e.noise_power if fits_powers or known else torch.full_like(e.noise_power, torch.nan)
    found = _compiled(spec, batch, e, noise, fits_powers) if lengths.equal else None
    coupled = e.coupled if found is None else found[1]
    fitted = (2 * p if spec.elevated else p) + (p if fits_powers else p * p) + (not known)
    if not spec.family.narrow and coupled:
        fitted += spec.family.n_parameters
    if found is not None:
        return misfit_of_size(lengths.noise.numpy() * found[0], spec.n_elements, lengths, fitted)
    v = response_of(spec, e) if p else batch.covariance[:, :, :0]
    if fits_powers:
        v = v * e.power.clamp_min(0).nan_to_num(0.0).sqrt()[:, None]
    return misfit_of_fit(batch.covariance, v, noise, lengths, fitted, free=not fits_powers)


def _compiled(
    spec: ArraySpec, batch: SnapshotBatch, e: Estimates, noise: torch.Tensor, fits_powers: bool
) -> tuple[np.ndarray, bool] | None:
    """T / L (B,) of one coupling for all azimuths by the compiled loops, and whether there is any; None for others."""
    loops = loops_for(batch.covariance.device)
    if loops is None or e.response is not None or e.elevation is not None or e.coupling_by_direction is not None:
        return None
    r, c = (x.resolve_conj().to(torch.complex128).numpy() for x in (batch.covariance, e.coupling))
    azimuth, power, s2 = (x.to(torch.float64).numpy() for x in (e.azimuth, e.power, noise))
    size, coupled = reported(loops, r, spec.wave_xy, azimuth, c, power if fits_powers else None, s2)
    return (size, coupled) if np.isfinite(size).all() else None


def response_of(spec: ArraySpec, e: Estimates) -> torch.Tensor:
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
