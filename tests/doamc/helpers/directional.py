"""Shipped arrays whose coupling depends on direction."""

from functools import cache

from doamc.spec import ArraySpec
from tests.doamc.helpers.scenes import edited_spec


@cache
def directional_spec(name: str, order: int, **entries: float) -> ArraySpec:
    """A shipped array with [coupling.directional]."""
    return edited_spec(name, coupling={"directional": {"order": order, **entries}})
