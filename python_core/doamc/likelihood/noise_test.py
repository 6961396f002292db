"""Whether a batch holds anything but noise: a test of independent channels, in front of samplers that take long.

Under noise alone the channels are independent, each of a power of its own. Everything here is made of the sample
correlations rho_mn = R_mn / sqrt(R_mm R_nn), which know nothing of the channels' powers, in two statistics:

    q(az) = a(az)^H rho a(az) / N       the power of a beam; the highest over the sector
    s     = sum_{m<n} |rho_mn|^2        whatever the direction, and several sources at once

N q is the squared length of a sum of N unit vectors of C^L. Its mean and variance make q / N nearly a Beta variable of
(L - 1/N, (N - 1) (L - 1/N)), hence F = (N - 1) q / (N - q) nearly an F variable, and u of it nearly a normal one
(Paulson 1942). Somewhere in the sector u is exceeded with a probability of at most

    Phi(-u) + sqrt(2) K / (2 pi) exp(-u^2 / 2),    K = int ||P a'(az)|| / sqrt(N) daz

(Davies 1987); K is the length of the array's manifold, P the projector orthogonal to a. The |rho_mn|^2 are
Beta(1, L - 1) and uncorrelated: of M = N (N - 1) / 2 pairs, s has mean M / L and variance M (L - 1) / (L^2 (L + 1)),
and a Gamma distribution of these is taken. Where the noise power is known, the power of all channels is a third
statistic, Gamma of N L. L is the effective number of snapshots.
"""

import math

import torch

from doamc.arrays.steering import steering, steering_derivative
from doamc.likelihood.effective_snapshots import effective_snapshots
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

#: share of batches of noise alone that are not recognised
FALSE_ALARMS = 0.05
#: snapshots an element from which on a source that a method could place is not overlooked
LEAST_SNAPSHOTS = 4
#: greatest step between beams along the manifold, rad: half way between two a source loses 2 % of its power
_STEP = 0.3


class NoiseTest:
    """Tells batches of noise alone from others, for one array.

    It has `FALSE_ALARMS`, 0.042 to 0.051 measured, for any number of elements and snapshots, powers that differ by
    channel, and noise that is correlated in time; what it overlooks stands in docs/estimators.md. Fewer effective
    snapshots than `LEAST_SNAPSHOTS` an element say too little, and such a batch never counts as noise.
    """

    def __init__(self, spec: ArraySpec) -> None:
        low, high = spec.sector_rad
        fine = torch.linspace(low, high, 721, dtype=torch.float64)
        speed = _speed(spec, fine)
        self.length = float(torch.trapezoid(speed, fine))
        beams = 1 + math.ceil(float(speed.max()) * (high - low) / _STEP)
        self._beams = steering(spec.positions, torch.linspace(low, high, beams, dtype=torch.float64))

    def __call__(self, batch: SnapshotBatch) -> torch.Tensor:
        """Whether each observation is noise alone as far as can be seen, (B,) bool."""
        n = batch.n_elements
        if batch.n_snapshots < LEAST_SNAPSHOTS * n:
            return torch.zeros(batch.size, dtype=torch.bool)
        length = effective_snapshots(batch.snapshots, batch.covariance, 1, batch.left_out).cpu()
        p = self.p_values(batch.covariance.cpu(), length)
        if batch.noise_power is not None:
            total = length * batch.covariance.diagonal(dim1=1, dim2=2).real.sum(1).cpu()
            p.append(torch.special.gammaincc(n * length, total / batch.noise_power.cpu()))
        return (torch.stack(p).amin(0) > FALSE_ALARMS / len(p)) & (length >= LEAST_SNAPSHOTS * n)

    def p_values(
        self,
        covariance: torch.Tensor,  # shape: (B, N, N)
        snapshots: torch.Tensor,  # shape: (B,), effective L
    ) -> list[torch.Tensor]:
        """Probabilities (B,) that noise alone has so strong a beam, and such strong correlations."""
        n, length = covariance.shape[-1], snapshots
        scale = covariance.diagonal(dim1=1, dim2=2).real.rsqrt()
        rho = covariance * scale[:, :, None] * scale[:, None]
        power = (self._beams.conj() * (rho @ self._beams)).sum(1).real.amax(1) / n
        f = (n - 1) * power / (n - power).clamp_min(1e-9)
        a = 1 / (9 * (length - 1 / n))
        b = a / (n - 1)
        root = f.clamp_min(0.0) ** (1 / 3)
        u = (((1 - b) * root - (1 - a)) / (b * root**2 + a).sqrt()).clamp_min(0.0)
        beam = 0.5 * torch.erfc(u / math.sqrt(2)) + self.length / (math.sqrt(2) * math.pi) * (-0.5 * u.square()).exp()
        pairs = n * (n - 1) / 2
        total = 0.5 * (rho.abs().square().sum((1, 2)) - n)
        shape = pairs * (length + 1) / (length - 1)
        return [beam, torch.special.gammaincc(shape, shape * total * length / pairs)]


def _speed(spec: ArraySpec, azimuth: torch.Tensor) -> torch.Tensor:
    """||P a'(az)|| / sqrt(N), how fast the manifold moves, (G,) by azimuth (G,)."""
    a, slope = steering(spec.positions, azimuth), steering_derivative(spec.positions, azimuth)[0]
    along = (a.conj() * slope).mean(0)
    return (slope - along * a).abs().square().mean(0).sqrt()
