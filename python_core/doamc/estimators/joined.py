"""Estimates of several batches as those of one."""

from dataclasses import fields

import torch

from doamc.estimators.estimates import Estimates

#: which axis of a field counts sources; it is filled with NaN where a batch has fewer
SOURCE_AXIS = {
    "azimuth": 1, "std": 1, "power": 1, "elevation": 1, "elevation_std": 1, "interval": 1, "elevation_interval": 1,
    "elevation_correlation": 1,
    "mode_azimuth": 2, "mode_elevation": 2, "mode_std": 2, "response": 2, "waveforms": 1, "waveform_std": 1,
    "coupling_by_direction": 1,
}  # fmt: skip


def join(parts: list[Estimates]) -> Estimates:
    """Estimates one after the other, with NaN where some have fewer sources.

    What only some of the parts have is NaN in the others.
    """
    width = max(1, *(e.azimuth.shape[1] for e in parts))
    joined = {}
    for field in fields(parts[0]):
        values = [getattr(e, field.name) for e in parts]
        if any(v is not None for v in values):
            joined[field.name] = _join(values, [len(e.n_sources) for e in parts], SOURCE_AXIS.get(field.name), width)
    return type(parts[0])(**joined)


def _join(values: list[torch.Tensor | None], sizes: list[int], axis: int | None, width: int) -> torch.Tensor:
    like = next(v for v in values if v is not None)

    def wide(x: torch.Tensor | None, size: int) -> torch.Tensor:
        if x is None:
            unknown = torch.nan if like.is_floating_point() or like.is_complex() else 0  # nothing counted
            x = torch.full((size, *like.shape[1:]), unknown, dtype=like.dtype, device=like.device)
        if axis is None or x.shape[axis] == width:
            return x
        missing = list(x.shape)
        missing[axis] = width - x.shape[axis]
        if missing[axis] < 0:
            return x.narrow(axis, 0, width)
        return torch.cat([x, x.new_full(missing, torch.nan)], axis)

    return torch.cat([wide(v, size) for v, size in zip(values, sizes, strict=True)])
