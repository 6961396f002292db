"""The two steps of EM for y = C A s + n with the waveforms s missing: their posterior moments, and what they leave."""

from dataclasses import dataclass

import torch

from doamc.arrays.steering import steering, steering_derivative
from doamc.estimators.soft_prior import SoftPrior
from doamc.scenes.covariance import CovarianceModel
from doamc.snapshots.batch import SnapshotBatch


@dataclass(frozen=True)
class WaveformMoments:
    """What the M-step needs to know, per snapshot: E[s s^H] (B, P, P), E[s y^H] (B, P, N) and tr R_hat (B,)."""

    ss: torch.Tensor
    sy: torch.Tensor
    trace: torch.Tensor


def response_of(model: CovarianceModel, x: torch.Tensor) -> torch.Tensor:
    """V = C A of x, (..., N, P), differentiable."""
    p = model.n_sources
    return model.spec.family.matrix(x[..., 2 * p : -1]) @ steering(model.spec.positions, x[..., :p])


def expectation(
    model: CovarianceModel,
    x: torch.Tensor,  # shape: (B, D)
    batch: SnapshotBatch,
    normal: torch.Tensor | None = None,  # shape: (S, P, L), complex; None for the exact moments
) -> WaveformMoments:
    """E-step at x. With ``normal`` the moments are those of S draws of every snapshot's waveforms."""
    _, power, _, noise = model.unpack(x)
    v = response_of(model, x) / noise.sqrt()[:, None, None]
    precision = v.mH @ v + torch.diag_embed(1 / power).to(v.dtype)
    posterior = torch.linalg.inv(precision)
    gain = posterior @ v.mH / noise.sqrt()[:, None, None]
    trace = batch.covariance.diagonal(dim1=1, dim2=2).real.sum(1)
    if normal is None:
        sy = gain @ batch.covariance
        return WaveformMoments(sy @ gain.mH + posterior, sy, trace)
    root = torch.linalg.cholesky(0.5 * (posterior + posterior.mH))
    s = (gain @ batch.snapshots)[:, None] + root[:, None] @ normal
    count = normal.shape[0] * normal.shape[2]
    return WaveformMoments((s @ s.mH).sum(1) / count, s.mean(1) @ batch.snapshots.mH / batch.n_snapshots, trace)


class CompleteData:
    """Q of the M-step: gradient by autograd, curvature the complete data's Fisher information; prior over L added."""

    def __init__(
        self, model: CovarianceModel, moments: WaveformMoments, prior: SoftPrior | None, n_snapshots: int
    ) -> None:
        self.model, self.moments, self.prior, self.n_snapshots = model, moments, prior, n_snapshots

    def value(self, x: torch.Tensor, m: WaveformMoments) -> torch.Tensor:
        """Q per snapshot without the prior, (B,), differentiable by x."""
        _, power, _, noise = self.model.unpack(x)
        v = response_of(self.model, x)
        error = m.trace + torch.einsum("bnp,bpn->b", v, m.ss @ v.mH - 2 * m.sy).real
        own = m.ss.diagonal(dim1=1, dim2=2).real
        return v.shape[1] * noise.log() + error / noise + (power.log() + own / power).sum(1)

    def curvature(self, x: torch.Tensor, m: WaveformMoments) -> torch.Tensor:
        """Expected second derivatives of Q, (B, D, D): (2 / s2) Re tr(dV_i E[s s^H] dV_j^H), E|s|^2 / p and N."""
        p, spec = self.model.n_sources, self.model.spec
        azimuth, power, theta, noise = self.model.unpack(x)
        a, by_azimuth = steering(spec.positions, azimuth), steering_derivative(spec.positions, azimuth)[0]
        first = torch.einsum("bnp,pq->bpnq", spec.family.matrix(theta) @ by_azimuth, torch.eye(p, dtype=a.dtype))
        dv = torch.cat([first, spec.family.basis @ a[:, None]], 1)  # (B, P + 2 K, N, P)
        block = 2 * ((dv @ m.ss[:, None]).flatten(2) @ dv.flatten(2).mH).real / noise[:, None, None]
        out = torch.zeros(*x.shape, x.shape[1], dtype=x.dtype)
        place = torch.tensor([*range(p), *range(2 * p, x.shape[1] - 1)])
        out[:, place[:, None], place] = block
        out[:, range(p, 2 * p), range(p, 2 * p)] = m.ss.diagonal(dim1=1, dim2=2).real / power
        out[:, -1, -1] = spec.n_elements
        return out

    def __call__(self, x: torch.Tensor, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Value (B,), gradient (B, D), curvature (B, D, D) at x for the items of the batch named by index."""
        m = WaveformMoments(self.moments.ss[index], self.moments.sy[index], self.moments.trace[index])
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            value = self.value(leaf, m)
            gradient = torch.autograd.grad(value.sum(), leaf)[0]
        value, curvature = value.detach(), self.curvature(x, m)
        if self.prior is None:
            return value, gradient, curvature
        extra = [part / self.n_snapshots for part in self.prior(x)]
        return value + extra[0], gradient + extra[1], curvature + extra[2]
