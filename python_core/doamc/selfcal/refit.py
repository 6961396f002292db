"""Batches fitted together with one coupling: Fisher scoring on the shared parameters, scenes eliminated."""

from dataclasses import replace

import torch

from doamc.coupling.drawn import DrawnFamily
from doamc.selfcal.belief import Belief, response_matrix
from doamc.selfcal.scene import known_family
from doamc.selfcal.window import BatchStack, Window
from doamc.spec import ArraySpec

STEPS = 4  #: of Fisher scoring at most; each starts from the last fit
SCENE_STEPS = 3  #: of every scene at a coupling tried
HALVINGS = 3
SETTLED = 0.1  #: a gain in nats that is not worth another step


def refit(
    spec: ArraySpec,
    base: Belief,  # what is known without the window's batches
    z: torch.Tensor,  # shape: (K,), where to begin
    window: Window,
) -> tuple[Window, Belief, torch.Tensor]:
    """The window with its scenes moved, the belief from base and window, and the most probable z (K,)."""
    groups = window.groups()
    value = profile(spec, base, z, groups)
    for _ in range(STEPS):
        gradient, information = gathered(spec, base.start, z, groups)
        precision = base.gathered + information + torch.eye(len(z), dtype=z.dtype)
        step = torch.linalg.solve(precision, gradient + base.pull - z - base.gathered @ z)
        if 0.5 * float(step @ precision @ step) < SETTLED:
            break
        before = [g.scene for g in groups]
        for k in range(HALVINGS):
            tried = z + 0.5**k * step
            fresh = profile(spec, base, tried, groups)
            if fresh > value:
                break
            for g, scene in zip(groups, before, strict=True):
                g.scene = scene
        else:
            break
        z, value = tried, fresh
    belief = base.plus(*gathered(spec, base.start, z, groups), z)
    return window.moved(groups), belief, z


def gathered(
    spec: ArraySpec, start: DrawnFamily, z: torch.Tensor, groups: list[BatchStack]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weighted sums over all batches of the gradient (K,) and information (K, K) at z."""
    family = replace(start, mean=response_matrix(start, z))
    gradient, information = z.new_zeros(len(z)), z.new_zeros(len(z), len(z))
    for g in groups:
        slope, own = g.reduced(spec, family)
        gradient = gradient + g.weight @ slope
        information = information + torch.einsum("b,bij->ij", g.weight, own)
    return gradient, 0.5 * (information + information.T)


def profile(spec: ArraySpec, base: Belief, z: torch.Tensor, groups: list[BatchStack]) -> float:
    """Log density of z at the most probable scenes given it; the groups' scenes are moved there."""
    known = known_family(response_matrix(base.start, z), base.start)
    value = float(base.pull @ z - 0.5 * (z @ z + z @ base.gathered @ z))
    for g in groups:
        value += g.move_scenes(spec, known, SCENE_STEPS)
    return value
