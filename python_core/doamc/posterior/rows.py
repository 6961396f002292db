"""Some of the observations of what a step of the pipeline found."""

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch

Found = TypeVar("Found")


def rows(found: Found, index: torch.Tensor) -> Found:
    """A dataclass of tensors (B, ...), or of such dataclasses, with the rows of the index alone."""
    whole: Any = found
    return replace(whole, **{f.name: _rows(getattr(whole, f.name), index) for f in fields(whole)})


def _rows(part: Any, index: torch.Tensor) -> Any:
    if isinstance(part, torch.Tensor):
        return part[index]
    return rows(part, index) if is_dataclass(part) else part


def with_rows(found: Found, index: torch.Tensor, some: Found) -> Found:
    """A dataclass of tensors (B, ...) with other rows in the place of those of the index."""
    whole: Any = found
    parts = {f.name: (getattr(whole, f.name), getattr(some, f.name)) for f in fields(whole)}
    return replace(whole, **{name: own.index_copy(0, index, other) for name, (own, other) in parts.items()})
