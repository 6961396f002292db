"""Intervals of emitters in line with a line of elements.

A line hears a direction and its mirror image alike, and at its ends the two meet: an emitter there may stand a little
in front or a little behind, and all samples lie in front. Its bearing is then the outermost of its posterior, and an
interval about their median that holds 90 % ends before it. Where samples reach an end, so does the interval.
"""

from dataclasses import replace

import torch

from doamc.estimators.intervals import NORMAL_90
from doamc.posterior.report.summary import Summary

NEXT_TO = 0.1  #: of the way from the median to an end, where samples reach it
REACHING = 0.02  #: share of the samples there from which on they do: those of a normal posterior at two deviations


def reaching_ends(
    summary: Summary,
    azimuth: torch.Tensor,  # shape: (B, P, n), samples
    sector: tuple[float, float],  # rad
) -> Summary:
    """The summary with intervals and deviations that reach the ends of a sector where samples do."""
    ordered, (low, high) = azimuth.sort(1)[0], summary.interval.unbind(-1)
    width = NORMAL_90 * summary.std
    for end, below in ((sector[0], True), (sector[1], False)):
        away = (end - summary.azimuth).abs()
        near = ((ordered - end).abs() < NEXT_TO * away[..., None]).double().mean(2) > REACHING
        width = torch.where(near, torch.maximum(width, away), width)
        low = torch.where(near, end, low) if below else low
        high = high if below else torch.where(near, end, high)
    return replace(summary, std=width / NORMAL_90, interval=torch.stack([low, high], -1))
