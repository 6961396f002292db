"""Where the truth lies among posterior samples, quantity by quantity: the raw material of calibration.

A truth and exact independent samples of its posterior are exchangeable, so that the rank of any function of them is
uniform ([Talts]), whatever the function takes from the data. Hence the truth is given its place among the sources, and
its turn of a wrapping angle, together with the samples and by the same rule.
"""

from dataclasses import replace

import torch

from doamc.likelihood.coordinates import Coordinates
from doamc.likelihood.scene_points import scene_points
from doamc.posterior.report.source_order import aligned
from doamc.posterior.sampled_part import SampledPart
from doamc.scenes.prior import Scene


def quantities_of(coordinates: Coordinates) -> list[str]:
    """Names of the coordinates x, in their order."""
    p, family = coordinates.n_sources, coordinates.spec.family
    flat = [f"z_{k + 1}" for k in range(family.n_normal)]
    flat += [f"|c_{k + 1}|" for k in range(family.n_flat - family.n_normal)]
    pairs = [f"{i + 1}" for i in range(coordinates.n_pairs)]
    azimuth = [f"azimuth {i + 1}" for i in range(p)]
    phase = [f"arg c_{k + 1}" for k in range(family.n_wrapping)]
    tail = azimuth + phase if coordinates.azimuth_first else phase + azimuth
    noise = ["noise"] if coordinates.unknown_noise else []
    names = [f"power {i + 1}" for i in range(p)] + flat + [f"correlation {i}" for i in pairs]
    heights = [f"height {i + 1}" for i in range(p)] if coordinates.spec.elevated else []
    return names + noise + heights + tail + [f"correlation phase {i}" for i in pairs]


def scene_of(part: SampledPart, scene: Scene) -> Scene:
    """Scenes at the level of a part's samples."""
    gain = part.gain.cpu()
    return replace(scene, power=scene.power * gain[:, None], noise_power=scene.noise_power * gain)


def standing_together(part: SampledPart, scene: Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """The truth (B, d, 1) and the samples (B, d, n) of a part, one source a row and wrapping angles unwrapped alike.

    scene: the scenes of this part.
    """
    coordinates = part.samples.coordinates
    truth = scene_points(coordinates, scene_of(part, scene))
    both = aligned(torch.cat([truth, part.samples.x.cpu()], 2), coordinates)
    return both[:, :, :1], both[:, :, 1:]


def ranks_of(truth: torch.Tensor, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Ranks (B, d) in (0, 1) of truths (B, d, 1) among independent samples (B, d, n), uniform for exact ones.

    A rank is one of n + 1; each is spread evenly over its step.
    """
    below = (x < truth).sum(2).double()
    return (below + torch.rand(below.shape, generator=generator, dtype=torch.float64)) / (x.shape[2] + 1)
