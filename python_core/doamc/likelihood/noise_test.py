"""Whether a batch holds anything but noise: the evidence of sources against none, in front of samplers that take long.

Under noise alone R = s2 I; under a scene of gamma_i = eigenvalues of V V^H / s2, with u_i their vectors,
R = s2 (I + sum_i gamma_i u_i u_i^H). With the noise power integrated out (uniform in its logarithm; it is a scale, so
this prior is the right Haar measure) the likelihood ratio depends on r = Rhat / tr Rhat alone:

    log LR = -L [N log(1 - sum_i gamma_i / (1 + gamma_i) u_i^H r u_i) + sum_i log(1 + gamma_i)]

Its mean over scenes of the prior is the Bayes factor T of sources against none, the most powerful statistic for them
(Neyman and Pearson). Under noise alone E[T] = 1 for every array and L, so that P(T > t) < 1 / t whatever the array
is (Markov), and by far less in fact: `ODDS`. The strength of the scenes is not the prior's but that of the weakest
that can be told: sum_i gamma_i = gamma with L (gamma - log(1 + gamma)) of a few nats; a stronger one is found all the
sooner. Where L >= `LEAST_SNAPSHOTS` N the channels' own powers are known, and rho_mn = R_mn / sqrt(R_mm R_nn) takes
the place of Rhat: channels may then differ in noise power. Where the noise power is known,

    log LR = L [sum_i gamma_i / (1 + gamma_i) u_i^H Rhat u_i / s2 - sum_i log(1 + gamma_i)].

What comes from no direction of the prior (a cable's leak, an emitter overhead) is found by s = sum_{m<n} |rho_mn|^2:
the |rho_mn|^2 are Beta(1, L - 1) and uncorrelated, so that of M = N (N - 1) / 2 pairs s has mean M / L and variance
M (L - 1) / (L^2 (L + 1)), and a Gamma distribution of these is taken. It is asked last, at the level `GENERAL`.
L is the number of independent snapshots of noise (`noise_snapshots`).
"""

import math

import torch

from doamc.likelihood.noise_snapshots import noise_snapshots
from doamc.scenes.prior import draw_scene
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

#: odds T that sources need: noise alone exceeds them in 0.6 to 1.9 % of batches, for any array and L
ODDS = 5.0
#: share of batches of noise alone that are not recognised, at most
FALSE_ALARMS = 0.02
#: share of batches of noise alone with correlations so strong that they count as well
GENERAL = 0.001
#: snapshots an element from which on powers that differ by channel are divided out
LEAST_SNAPSHOTS = 4
#: a p value below has no logarithm that means anything
LEAST_P = 1e-300
#: scenes of every number of sources
SCENES = 256
#: strengths of the scenes, nats that one source of such a strength is expected to bring
NATS = (2.0, 4.0, 8.0, 16.0, 32.0)


class NoiseTest:
    """Tells batches of noise alone from others, for one array; what it overlooks stands in docs/source-number.md."""

    def __init__(self, spec: ArraySpec, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        low, high = spec.source_count
        self._vectors, self._shares = [], []  # for every number of sources: (N N 2, S P) forms u u^H, (S, P)
        for p in range(low, min(high, spec.n_elements - 1) + 1):
            scene = draw_scene(spec, SCENES, p, 0.0, generator)
            u, size, _ = torch.linalg.svd(scene.response * scene.power.sqrt()[:, None], full_matrices=False)
            u = u.mT.flatten(0, 1)
            self._vectors.append(_as_real(u[:, :, None] * u[:, None].conj()).mT.contiguous())
            self._shares.append(size.square() / size.square().sum(1, keepdim=True))

    def __call__(self, batch: SnapshotBatch) -> torch.Tensor:
        """Whether each observation is noise alone as far as can be seen, (B,) bool."""
        return noise_alone(self.log_odds_of(batch))

    def log_odds_of(self, batch: SnapshotBatch) -> torch.Tensor:
        """Log odds log T (B,) of sources against none."""
        length = noise_snapshots(batch).cpu()
        noise = None if batch.noise_power is None else batch.noise_power.cpu()
        return self.log_odds(batch.covariance.cpu(), length, noise)

    def log_odds(
        self,
        covariance: torch.Tensor,  # shape: (B, N, N)
        snapshots: torch.Tensor,  # shape: (B,), effective L of noise
        noise_power: torch.Tensor | None = None,  # shape: (B,), where known
    ) -> torch.Tensor:
        """log T (B,), or what correlations that no scene explains bring."""
        n, length = covariance.shape[-1], snapshots[:, None]
        if noise_power is None:
            scaled = _without_level(covariance, snapshots)
        else:
            scaled = covariance / noise_power[:, None, None]
        flat, found = _as_real(scaled), []
        for forms, share in zip(self._vectors, self._shares, strict=True):
            power = (flat @ forms).unflatten(1, share.shape)  # u^H r u, (B, S, P)
            for nats in NATS:
                gamma = (2 * nats / length).sqrt() + nats / length  # gamma - log(1 + gamma) is near nats / L
                strength = gamma[..., None] * share
                explained = (strength / (1 + strength) * power).sum(2)
                gain = explained if noise_power is not None else -n * torch.log1p(-explained)
                ratio = length * (gain - torch.log1p(strength).sum(2))
                found.append(torch.logsumexp(ratio, 1) - math.log(len(share)))
        odds = torch.logsumexp(torch.stack(found), 0) - math.log(len(found))
        return torch.maximum(odds, _general_log_odds(covariance, snapshots))


def noise_alone(
    log_odds: torch.Tensor,  # shape: (B,)
) -> torch.Tensor:
    """Whether odds are too small for sources, (B,) bool."""
    return log_odds <= math.log(ODDS)


def _without_level(covariance: torch.Tensor, snapshots: torch.Tensor) -> torch.Tensor:
    """Covariances (B, N, N) of trace 1, of channels of equal powers where there are snapshots enough."""
    n, power = covariance.shape[-1], covariance.diagonal(dim1=1, dim2=2).real
    equal = (snapshots < LEAST_SNAPSHOTS * n)[:, None]
    scale = torch.where(equal, power.sum(1, keepdim=True), n * power).rsqrt()
    return covariance * scale[:, :, None] * scale[:, None]


def _general_log_odds(covariance: torch.Tensor, snapshots: torch.Tensor) -> torch.Tensor:
    """The p value (B,) of s, taken for odds such that `GENERAL` has `ODDS`; where there are snapshots enough."""
    n, power = covariance.shape[-1], covariance.diagonal(dim1=1, dim2=2).real
    pairs, length = n * (n - 1) / 2, snapshots.clamp_min(LEAST_SNAPSHOTS * n)
    total = 0.5 * ((covariance.abs().square() / (power[:, :, None] * power[:, None])).sum((1, 2)) - n)
    shape = pairs * (length + 1) / (length - 1)
    p = torch.special.gammaincc(shape, shape * total * length / pairs).clamp_min(LEAST_P)
    return torch.where(snapshots >= LEAST_SNAPSHOTS * n, math.log(ODDS * GENERAL) - p.log(), -math.inf)


def _as_real(hermitian: torch.Tensor) -> torch.Tensor:
    """Hermitian matrices (B, N, N) as vectors (B, 2 N N), whose product is the trace of the product."""
    return torch.view_as_real(hermitian.contiguous()).flatten(1)
