"""Some of the observations of what a step of the pipeline found."""

from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

import torch

Found = TypeVar("Found")


def rows(found: Found, index: torch.Tensor) -> Found:
    """A dataclass of tensors (B, ...), or of such, with the rows of the index alone."""
    if isinstance(found, torch.Tensor):
        return found[index]
    if not is_dataclass(found) or isinstance(found, type):
        return found
    return replace(found, **{f.name: rows(getattr(found, f.name), index) for f in fields(found)})
