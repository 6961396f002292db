"""How badly a batch fits what any method reports of it.

Of a method that fits powers and noise, its own model is looked at. Others find directions alone: their subspace is,
R = V S V^H + s2 I with the S and s2 of maximum likelihood given V = C A (Böhme, Proc. IEEE ICASSP 1986), that is,
sources of any correlation.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from doamc.arrays.steering import plain_steering, steering
from doamc.estimators.causes import causes_of
from doamc.estimators.misfit import Misfit, misfit_of_fit
from doamc.estimators.powers import pseudo_inverse
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
        e = replace(e, misfit=found.misfit, fit_probability=found.probability)
    return e if e.fit_cause is not None else replace(e, fit_cause=causes_of(spec, batch, e))


def reported_misfit(spec: ArraySpec, batch: SnapshotBatch, e: "Estimates", fits_powers: bool) -> Misfit:
    """Misfit of estimates (B, P), P >= 0; NaN where they have no coupling or no noise power."""
    covariance, p = batch.covariance, e.azimuth.shape[1]
    v = response_of(spec, e) if p else covariance[:, :, :0]
    known = batch.noise_power is not None
    fitted = 2 * p if fits_powers else p + p * p
    if fits_powers:
        response, noise = v * e.power.clamp_min(0).nan_to_num(0.0).sqrt()[:, None], e.noise_power
    else:
        response, noise = _subspace(covariance, v, e.noise_power if known else None)
    if not spec.family.narrow and _coupled(e):
        fitted += spec.family.n_parameters
    return misfit_of_fit(covariance, response, noise, batch.effective.lengths(p), fitted + (not known))


def response_of(spec: ArraySpec, e: "Estimates") -> torch.Tensor:
    """C A (B, N, P), zero for sources that are not there."""
    if e.response is not None:
        return e.response
    azimuth, there = e.azimuth.nan_to_num(0.0), e.azimuth.isfinite()[:, None]
    if e.elevation is None:
        a = torch.from_numpy(plain_steering(spec.positions, azimuth.cpu().numpy()))
    else:
        a = steering(spec.positions, azimuth.cpu(), e.elevation.nan_to_num(0.0).cpu())
    return e.coupling @ a.to(e.coupling) * there


def _coupled(e: "Estimates") -> bool:
    n = e.coupling.shape[-1]
    return not bool(torch.equal(e.coupling, torch.eye(n, dtype=e.coupling.dtype).expand_as(e.coupling)))


def _subspace(
    covariance: torch.Tensor,  # shape: (B, N, N)
    v: torch.Tensor,  # shape: (B, N, P)
    noise_power: torch.Tensor | None,  # shape: (B,), where known
) -> tuple[torch.Tensor, torch.Tensor]:
    """V S^1/2 (B, N, P) and s2 (B,) of maximum likelihood."""
    n, p = v.shape[1:]
    r, response = (x.resolve_conj().cpu().numpy() for x in (covariance, v))
    inverse = pseudo_inverse(np.nan_to_num(response) if np.isnan(response).any() else response)
    power = r.diagonal(axis1=1, axis2=2).real
    noise = (power - (response * (inverse @ r).swapaxes(1, 2)).sum(2).real).sum(1) / (n - p)
    if noise_power is not None:
        noise = noise_power.cpu().numpy()
    noise = np.maximum(noise, 1e-12 * power.mean(1))
    values, vectors = np.linalg.eigh(inverse @ (r - noise[:, None, None] * np.eye(n)) @ inverse.conj().swapaxes(1, 2))
    part = response @ (vectors * np.sqrt(np.maximum(values, 0))[:, None])
    return torch.from_numpy(part), torch.from_numpy(noise)
