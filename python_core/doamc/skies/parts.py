"""What radio sources are made of: cores, jets of knots, hot spots, lobes, haloes, rings, groups, field sources.

Every part is drawn for B sources at once; unit: pixels per unit of length, (B, 1), so that a source of twice the unit
is the same source on a grid twice as fine. x, y: where the source is, (B, 1) in pixels.
"""

from dataclasses import dataclass

import torch

from doamc.skies.components import Components, any_angle
from doamc.skies.draws import chance, log_uniform, normal, sign, uniform

KNOTS = 16  #: of a jet


@dataclass(frozen=True)
class Place:
    """Where B sources are, in pixels, and their units of length, (B, 1) each."""

    x: torch.Tensor
    y: torch.Tensor
    unit: torch.Tensor

    def at(self, amplitude: torch.Tensor, x: torch.Tensor, y: torch.Tensor, width: torch.Tensor) -> Components:
        """Circular components by offsets and widths in units, (B, K) each."""
        return Components.round(amplitude, self.x + self.unit * x, self.y + self.unit * y, self.unit * width)


@dataclass(frozen=True)
class Jets:
    """The shape of two jets that leave a core: (B, 1) each."""

    heading_rad: torch.Tensor
    bend_rad: torch.Tensor  #: turn of the heading from core to end
    twist: torch.Tensor  #: 1: both bend to one side, as behind a moving galaxy; -1: an S
    length: torch.Tensor  #: in units
    second: torch.Tensor  #: 1 where there are two

    @classmethod
    def draw(cls, bent: torch.Tensor, one_sided: torch.Tensor, generator: torch.Generator) -> "Jets":
        """bent, one_sided: (B, 1), what of it is a tail, and what has one jet alone."""
        shape = tuple(bent.shape)
        little, much = 0.17 * normal(shape, generator), uniform(0.4, 1.3, shape, generator) * sign(shape, generator)
        bend = torch.where(bent, much, little)
        twist = 1 - 2 * (chance(0.2, shape, generator) & ~bent).float()
        length = uniform(6, 21, shape, generator)
        return cls(any_angle(shape, generator), bend, twist, length, (~one_sided).float())

    def point(self, share: torch.Tensor, side: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Offsets in units at a share of the length, (B, K) in 0..1, on a path of constant curvature."""
        bend = self.bend_rad * (1.0 if side else -self.twist)
        bend = torch.where(bend.abs() < 1e-3, torch.full_like(bend, 1e-3), bend)
        turned = self.heading_rad + bend * share
        reach = self.length / bend * (1.0 - 2.0 * side)
        return (turned.sin() - self.heading_rad.sin()) * reach, (self.heading_rad.cos() - turned.cos()) * reach


def core(place: Place, generator: torch.Generator) -> Components:
    """A compact core, round or slightly not."""
    shape = tuple(place.x.shape)
    widths = [place.unit * uniform(0.7, 1.5, shape, generator) for _ in range(2)]
    amplitude = uniform(0.06, 1.05, shape, generator)
    return Components(amplitude, place.x, place.y, widths[0], widths[1], torch.zeros(shape))


def knots(
    place: Place, jets: Jets, side: int, fading: torch.Tensor, share: torch.Tensor, generator: torch.Generator
) -> Components:
    """A jet of knots that widens outwards. fading: (B, 1), whether it fades outwards. share: (B, 1), 0 for none."""
    shape = (len(share), KNOTS)
    even = (torch.arange(KNOTS) + 0.2 + 0.8 * torch.rand(*shape, generator=generator)) / KNOTS
    along = torch.where(chance(0.7, (shape[0], 1), generator), even, torch.rand(*shape, generator=generator))
    along = along ** uniform(0.75, 1.1, (shape[0], 1), generator)
    x, y = jets.point(along, side)
    start, end = uniform(0.2, 0.7, (shape[0], 1), generator), uniform(0.9, 1.7, (shape[0], 1), generator)
    profile = torch.where(fading, 1.2 - along, start + (end - start) * along)
    level = uniform(0.05, 0.24, shape, generator) * (0.25 * normal((shape[0], 1), generator)).exp()
    opening = uniform(1.6, 2.8, (shape[0], 1), generator)
    width = (1 + opening * along) * uniform(0.75, 1.35, shape, generator)
    second = jets.second if side else torch.ones_like(share)
    return Components(
        share * second * level * profile,
        place.x + place.unit * x,
        place.y + place.unit * y,
        place.unit * width,
        place.unit * width * uniform(0.55, 1.45, shape, generator),
        any_angle(shape, generator),
    )


def lobe(place: Place, jets: Jets, side: int, share: torch.Tensor, generator: torch.Generator) -> Components:
    """A hot spot where a jet ends, and the lobe that flows back from it."""
    one = tuple(share.shape)
    hot = place.at(
        share * uniform(0.35, 1.55, one, generator),
        *jets.point(torch.ones(one), side),
        uniform(0.85, 2.05, one, generator),
    )
    x, y = jets.point(uniform(0.75, 0.92, one, generator), side)
    back = Components(
        share * uniform(0.08, 0.42, one, generator),
        place.x + place.unit * x,
        place.y + place.unit * y,
        place.unit * uniform(1.8, 4.2, one, generator),
        place.unit * uniform(1.8, 3.8, one, generator),
        jets.heading_rad + jets.bend_rad,
    )
    return Components.together([hot, back])


def halo(place: Place, share: torch.Tensor, generator: torch.Generator) -> Components:
    """Two to six wide ellipses about the core."""
    shape = (len(share), 6)
    there = (torch.arange(6) < torch.randint(2, 7, (len(share), 1), generator=generator)).float()
    spread = 5 * place.unit
    return Components(
        share * there * uniform(0.08, 0.52, shape, generator),
        place.x + spread * normal(shape, generator),
        place.y + spread * normal(shape, generator),
        place.unit * uniform(2.7, 8.3, shape, generator),
        place.unit * uniform(2.7, 8.3, shape, generator),
        any_angle(shape, generator),
    )


def ring(place: Place, share: torch.Tensor, generator: torch.Generator) -> Components:
    """A shell of patches, as a remnant of a supernova has."""
    shape, one = (len(share), KNOTS), (len(share), 1)
    angle, radius = any_angle(shape, generator), uniform(4, 16, one, generator)
    width = uniform(1.0, 3.0, one, generator) * uniform(0.7, 1.4, shape, generator)
    level = share * uniform(0.02, 0.6, shape, generator)
    return place.at(level, radius * angle.cos(), radius * angle.sin(), width)


def group(place: Place, share: torch.Tensor, generator: torch.Generator) -> Components:
    """Up to sixteen compact sources, few of them strong."""
    shape, one = (len(share), KNOTS), (len(share), 1)
    there = (torch.rand(*shape, generator=generator) < uniform(0.1, 1, one, generator)).float()
    spread = uniform(3, 16, one, generator)
    x, y = spread * normal(shape, generator), spread * normal(shape, generator)
    return place.at(share * there * log_uniform(0.01, 1, shape, generator), x, y, uniform(0.5, 1.6, shape, generator))


def field(place: Place, size: int, mean: float, generator: torch.Generator) -> Components:
    """Compact sources anywhere in the image, `mean` of them on average, five at most."""
    shape = (len(place.x), 5)
    count = torch.poisson(torch.full((shape[0], 1), mean), generator=generator)
    there = (torch.arange(5) < count).float()
    width = torch.where(chance(0.5, shape, generator), torch.ones(shape), uniform(0.6, 1.5, shape, generator))
    half = 0.45 * size
    return Components.round(
        there * uniform(0.04, 0.65, shape, generator),
        uniform(-half, half, shape, generator),
        uniform(-half, half, shape, generator),
        place.unit * width,
    )
