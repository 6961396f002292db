"""Priors over the coupling of several kinds, such as careful and rough builders."""

from dataclasses import replace

import torch

from doamc.coupling.drawn import DrawnFamily
from doamc.posterior.proposals.scene_vector import StateLayout
from doamc.spec import ArraySpec


def kinds_of(spec: ArraySpec, layout: StateLayout) -> list[tuple[float, StateLayout]]:
    """Log share and layout of every kind of coupling in the prior; the network's parameters in units of each kind."""
    if not isinstance(spec.family, DrawnFamily) or spec.family.scales is None:
        return [(0.0, layout)]
    out = []
    for (log_share, family), scales in zip(spec.family.kinds, spec.family.scales, strict=True):
        unit = torch.ones_like(layout.mean)
        unit[-1 - len(scales) : -1] = scales
        out.append(
            (
                log_share,
                replace(layout, spec=spec.with_family(family), mean=layout.mean / unit, scale=layout.scale / unit),
            )
        )
    return out
