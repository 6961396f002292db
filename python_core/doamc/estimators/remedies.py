"""What is done about the cause of a bad fit before a batch is estimated again.

Noise of covariance K over the channels: whitened by G = K^-1/2, scaled so that it keeps its mean power, with responses
that are heard through the same G. A channel that is off: noise of the level of the others in its place, and a
response of zero there, so that nothing of it is heard. Cables in the wrong order: put in order. Coherent paths: sources
may have any correlation. Converters that add a constant: the mean of every channel is taken out.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import torch

from doamc.coupling.received import received
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

FILL_SEED = 15  #: of the noise in the place of a channel that is left out


@dataclass(frozen=True)
class Remedy:
    """What is done about one observation. cause: its number in `Estimates.fit_cause`.

    streams: (N,) channel that brings each element. noise: K (N, N), None for white noise of one power. silent: element
    whose channel is left out, with the noise power that stands in for it. coherent: whether sources may have any
    correlation. offset: whether channels lose their mean. Powers of noise have the digits of single precision, so
    that round-off of a first answer, which depends on the size of a batch, does not reach the second.
    """

    cause: int
    streams: torch.Tensor
    noise: torch.Tensor | None = None
    silent: int | None = None
    noise_power: float = 1.0
    coherent: bool = False
    offset: bool = False

    def batch(self, batch: SnapshotBatch) -> SnapshotBatch:
        """One observation as an array with white noise and channels in order would receive it."""
        y, order = batch.snapshots[:, self.streams], self.streams
        r = batch.covariance[:, order[:, None], order]
        if self.noise is not None:
            g = self._whitening()
            y, r = g @ y, g @ r @ g.mH
        if self.silent is not None:
            y, r, k = y.clone(), r.clone(), self.silent
            heard = y.abs().amax(1) > 0  # the others were left out
            y[:, k] = self.noise_power**0.5 * _fill(y.shape[2]) * heard
            column = y @ y[:, k, :, None].conj() / batch.n_snapshots
            r[:, :, k], r[:, k] = column[..., 0], column[..., 0].conj()
        if self.offset:
            heard = y.abs().amax(1, keepdim=True) > 0
            y = torch.where(heard, y - y.sum(2, keepdim=True) / heard.sum(2, keepdim=True), 0.0)
            r = y @ y.mH / batch.n_snapshots
        other = replace(batch, snapshots=y, covariance=r)
        vars(other)["effective"] = batch.effective
        return other

    def spec(self, spec: ArraySpec) -> ArraySpec:
        """The array as such a batch has heard it."""
        if self.silent is not None:
            g = torch.eye(spec.n_elements, dtype=torch.complex128)
            g[self.silent, self.silent] = 0
            return spec.with_family(received(spec.family, g))
        return spec if self.noise is None else spec.with_family(received(spec.family, self._whitening()))

    def _whitening(self) -> torch.Tensor:
        if self.noise is None:
            raise AssertionError("expected a covariance of noise")
        values, vectors = torch.linalg.eigh(self.noise)
        level = self.noise.diagonal().mean()
        return ((vectors * (level / values).sqrt()) @ vectors.mH).to(torch.complex128)


@lru_cache(maxsize=4)
def _fill(length: int) -> torch.Tensor:
    """White noise (L,) of power 1."""
    parts = torch.randn(length, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(FILL_SEED))
    return torch.view_as_complex(parts) * 0.5**0.5
