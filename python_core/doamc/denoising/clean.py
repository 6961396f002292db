"""Clean snapshots and waveforms of a batch, for the scenes that any method found."""

from dataclasses import dataclass

import torch

from doamc.arrays.steering import steering
from doamc.errors import EstimatorError
from doamc.estimators.base import Estimates
from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.noise_level import noise_power_from_eigenvalues
from doamc.spec import ArraySpec, load_spec


@dataclass(frozen=True)
class Clean:
    """What was received without the noise, and what each emitter sent.

    clean: x_0 = C A s, (B, N, L) complex128. waveforms: s, (B, P, L) complex128, as an uncoupled element at the origin
    would receive them, in the order of the azimuths. spread: (B, P, L), posterior standard deviation of a waveform's
    samples. Waveforms are zero with NaN spread where an observation has fewer sources.
    """

    clean: torch.Tensor
    waveforms: torch.Tensor
    spread: torch.Tensor


@torch.no_grad()
def denoise(spec: ArraySpec | str, batch: SnapshotBatch, estimates: Estimates) -> Clean:
    """Clean snapshots of a batch whose scenes a method has estimated; estimates: those of the same batch, in its order.

    A method that separates the emitters itself (`Estimates.waveforms`) is taken at its word. For any other the Wiener
    filter of its scene is applied, the posterior mean for Gaussian waveforms: s = (V^H V + s2 P^-1)^-1 V^H y, V = C A.
    Raises EstimatorError where the estimates are not of this batch.
    """
    spec = load_spec(spec)
    if estimates.azimuth.shape[0] != batch.size:
        raise EstimatorError(
            f"expected estimates of the batch's {batch.size} observations, found {estimates.azimuth.shape[0]}"
        )
    if estimates.waveforms is not None and estimates.clean is not None and estimates.waveform_std is not None:
        return Clean(estimates.clean, estimates.waveforms, estimates.waveform_std)
    return _filtered(spec, batch, estimates)


def _filtered(spec: ArraySpec, batch: SnapshotBatch, e: Estimates) -> Clean:
    known = torch.isfinite(e.azimuth)
    elevation = 0.0 if e.elevation is None else e.elevation.nan_to_num(0.0)
    v = e.response
    if v is None:
        a = steering(spec.positions, e.azimuth.nan_to_num(0.0), elevation).to(torch.complex128)
        own = e.coupling_by_direction
        v = e.coupling.to(torch.complex128) @ a if own is None else torch.einsum("bpij,bjp->bip", own, a)
    v = torch.where(known[:, None], torch.nan_to_num(v), 0.0)
    noise = _noise_power(batch, e)
    power = torch.where(known, e.power.nan_to_num(0.0), 0.0).clamp_min(1e-12 * noise[:, None])
    precision = (noise[:, None] / power).to(v.dtype)
    inverse = torch.linalg.inv(v.mH @ v + torch.diag_embed(precision))
    waveforms = torch.where(known[..., None], inverse @ (v.mH @ batch.snapshots), 0.0)
    spread = (noise[:, None] * inverse.diagonal(dim1=1, dim2=2).real).sqrt()
    spread = torch.where(known, spread, torch.nan)[..., None].expand(-1, -1, batch.n_snapshots)
    return Clean(v @ waveforms, waveforms, spread)


def _noise_power(batch: SnapshotBatch, e: Estimates) -> torch.Tensor:
    """Noise power (B,): the one that is known, else that of the estimates, else that of the smallest eigenvalues."""
    if batch.noise_power is not None:
        return batch.noise_power
    guess = noise_power_from_eigenvalues(batch.covariance, max(1, e.azimuth.shape[1]))
    return torch.where(torch.isfinite(e.noise_power), e.noise_power, guess)
