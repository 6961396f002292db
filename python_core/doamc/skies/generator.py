"""Skies drawn at random: what the prior learns from. Peak 1, zero floor."""

import torch

from doamc.skies.components import Components
from doamc.skies.draws import chance, log_uniform, normal, uniform
from doamc.skies.parts import Jets, Place, core, field, group, halo, knots, lobe, ring

#: kind of source -> share of the skies; doubles end in hot spots, tails are bent and fade
KINDS = {"double": 0.31, "jet": 0.19, "tail": 0.15, "halo": 0.15, "compact": 0.12, "ring": 0.03, "group": 0.05}
UNIT = 64  #: pixels of an image whose sources have a unit of one pixel


def draw_skies(count: int, size: int, generator: torch.Generator, broad: float = 0.3) -> torch.Tensor:
    """Images (count, size, size) in single precision.

    Sources are about as large a part of the image whatever its size. broad: share of the skies with sources of any
    size, half of them cut out of a larger image, with the source anywhere and fainter than what lies outside.
    """
    usual = uniform(0.87, 1.15, (count, 1), generator)
    unit = torch.where(chance(broad, (count, 1), generator), log_uniform(0.5, 4.5, (count, 1), generator), usual)
    cut = chance(0.6, (count, 1), generator) & (unit > 1.5)
    unit = unit * (size / UNIT)
    spread = torch.where(cut, 0.35 * size, (4 * unit).clamp_max(0.15 * size))
    x, y = (spread * normal((count, 1), generator) for _ in range(2))
    place = Place(x, y, unit)
    parts = _source(place, generator)
    parts.append(field(place, size, 0.7, generator))
    components = Components.together(parts)
    image = components.image(size)
    peak = image.amax((1, 2))
    peak = torch.where(cut[:, 0], torch.maximum(peak, components.amplitude.amax(1)), peak)
    return image / peak[:, None, None]


def _source(place: Place, generator: torch.Generator) -> list[Components]:
    """One source in each place."""
    shares = torch.tensor(list(KINDS.values()))
    drawn = torch.multinomial(shares, len(place.x), replacement=True, generator=generator)[:, None]
    of = {kind: drawn == i for i, kind in enumerate(KINDS)}
    jets = Jets.draw(of["tail"], of["jet"] & chance(0.55, tuple(drawn.shape), generator), generator)
    faded = of["tail"] | (of["jet"] & chance(0.4, tuple(drawn.shape), generator))
    jetted = (of["double"] | of["jet"] | of["tail"]).float()
    parts = [core(place, generator)]
    for side in (0, 1):
        parts.append(knots(place, jets, side, faded, jetted, generator))
        parts.append(lobe(place, jets, side, of["double"].float(), generator))
    parts.append(halo(place, of["halo"].float(), generator))
    parts.append(ring(place, of["ring"].float(), generator))
    parts.append(group(place, of["group"].float(), generator))
    return parts
