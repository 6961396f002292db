"""Priors over the coupling of several kinds, such as careful and rough builders."""

from dataclasses import replace

import torch

from doamc.posterior.proposals.scene_vector import StateLayout
from doamc.spec import ArraySpec


def kinds_of(spec: ArraySpec, layout: StateLayout) -> list[tuple[float, StateLayout]]:
    """Log share and layout of every kind of coupling in the prior; the network's parameters in units of each kind."""
    kinds = spec.family.kinds
    if len(kinds) == 1:
        return [(0.0, layout)]
    out = []
    for log_share, family, scale in kinds:
        unit = torch.ones_like(layout.mean)
        unit[-1 - len(scale) : -1] = scale
        own = replace(layout, spec=spec.with_family(family), mean=layout.mean / unit, scale=layout.scale / unit)
        out.append((log_share, own))
    return out
