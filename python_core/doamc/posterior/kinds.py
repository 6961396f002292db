"""Priors over the coupling of several kinds, such as careful and rough builders."""

from doamc.spec import ArraySpec


def kinds_of(spec: ArraySpec) -> list[tuple[float, ArraySpec]]:
    """Log share of every kind of coupling in the prior, and the specification with that kind alone."""
    kinds = spec.family.kinds
    if len(kinds) == 1:
        return [(0.0, spec)]
    return [(log_share, spec.with_family(family)) for log_share, family, _ in kinds]
