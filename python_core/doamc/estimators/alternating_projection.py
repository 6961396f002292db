"""Alternating projection: sources placed on a grid one after the other, then each again while the others are held.

Maximises tr(Pi Rhat), Pi the projector on the responses of the sources, over one source at a time (deterministic
maximum likelihood, [Ziskind-Wax]). It asks nothing of the rank of the source covariance, which coherent sources lack
and every subspace method needs.
"""

from collections.abc import Callable

import torch


def alternating_projection(
    best: Callable[[list[torch.Tensor]], torch.Tensor],
    n_sources: int,
    cycles: int,
) -> list[torch.Tensor]:
    """Grid indices of P sources.

    best: the index of the source that adds most to those held, whose indices it is given. cycles: how often every
    source is placed again after the first round.
    """
    chosen: list[torch.Tensor] = []
    for _ in range(n_sources):
        chosen.append(best(chosen))
    for _ in range(cycles if n_sources > 1 else 0):
        for k in range(n_sources):
            chosen[k] = best(chosen[:k] + chosen[k + 1 :])
    return chosen
