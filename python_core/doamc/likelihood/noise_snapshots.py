"""The effective number of snapshots of noise: what a batch has whose sources are still to be found.

Behind a filter noise is correlated in time, alike in all components, and the number is that of all of them together.
A carrier is in one component alone: where the weaker half has far more snapshots, theirs is the number.
The weaker half that one half of the snapshots shows is looked at in the other one. In its own, chance makes it whiter:
the strongest moments of correlated noise are in the components that are strong for them.

S = L / L_eff has a relative standard deviation of about sqrt(S / (N L)), by which it is taken larger: to count too many
snapshots makes phantoms.
"""

import torch

from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.correlation import SIGNIFICANT, autocorrelation, reduction, square
from doamc.snapshots.effective_snapshots import all_of

UNLIKE = 2.5  #: times as many in the weaker half of the components as in all: filtered noise never has so many more


def noise_snapshots(batch: SnapshotBatch) -> torch.Tensor:
    """L_eff (B,) between 1 and L."""
    found = batch.effective.lengths(0).noise
    full = all_of(batch.snapshots, batch.left_out)
    correlated = (found < full).nonzero()[:, 0]
    if not len(correlated):
        return found
    some = batch.snapshots[correlated]
    weak = (full[correlated] / _weaker_half(some)).clamp_min(1.0)
    likely = torch.where(weak > UNLIKE * found[correlated], weak, found[correlated])
    chance = (full[correlated] / likely / some[0].numel()).sqrt()
    out = found.clone()
    out[correlated] = torch.where(likely < full[correlated], likely / (1 + chance), likely).clamp_min(1.0)
    return out


def _weaker_half(
    snapshots: torch.Tensor,  # shape: (B, N, L)
) -> torch.Tensor:
    """S (B,), as in `snapshots.correlation`, of the components of least power."""
    length, weak = snapshots.shape[2] // 2, max(1, snapshots.shape[1] // 2)
    first, second = snapshots[:, :, :length], snapshots[:, :, length : 2 * length]
    rho = []
    for one, other in ((first, second), (second, first)):
        vectors = torch.linalg.eigh(one @ one.mH)[1][:, :, :weak]
        part = vectors.mH @ other
        level = part.abs().square().mean(2, keepdim=True).sqrt()
        rho.append(autocorrelation(part / level.clamp_min(1e-150)))
    mean = square(torch.cat(rho, 1).mean(1))
    white = mean[:, 0] < SIGNIFICANT / (2 * weak * length)
    return torch.where(white, 1.0, reduction(mean, length, 2.0 * weak))
