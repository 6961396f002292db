"""Source waveforms of unit mean power, (B, P, L) complex."""

import math
from collections.abc import Callable

import torch

from doamc.errors import SpecificationError


def _normal(shape: tuple[int, ...], generator: torch.Generator | None) -> torch.Tensor:
    z = torch.randn(*shape, 2, dtype=torch.float64, generator=generator)
    return torch.view_as_complex(z) / math.sqrt(2)


def _unit(phase: torch.Tensor) -> torch.Tensor:
    return torch.polar(torch.ones_like(phase), phase)


def _qpsk(shape: tuple[int, ...], generator: torch.Generator | None) -> torch.Tensor:
    symbol = torch.randint(4, shape, generator=generator).double()
    return _unit(math.pi / 4 + math.pi / 2 * symbol)


def _constant_modulus(shape: tuple[int, ...], generator: torch.Generator | None) -> torch.Tensor:
    return _unit(2 * math.pi * torch.rand(*shape, dtype=torch.float64, generator=generator))


def _coherent(shape: tuple[int, ...], generator: torch.Generator | None) -> torch.Tensor:
    """Paths of one Gaussian emitter: the same waveform under a fixed random phase per path."""
    batch, paths, snapshots = shape
    phase = 2 * math.pi * torch.rand(batch, paths, 1, dtype=torch.float64, generator=generator)
    return _normal((batch, 1, snapshots), generator) * _unit(phase)


#: name -> (shape, generator) -> waveforms
WAVEFORMS: dict[str, Callable[[tuple[int, ...], torch.Generator | None], torch.Tensor]] = {
    "gaussian": _normal,
    "qpsk": _qpsk,
    "constant-modulus": _constant_modulus,
    "coherent": _coherent,
}


def draw_waveforms(
    kind: str, batch: int, n_sources: int, n_snapshots: int, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Waveforms (B, P, L) of unit mean power; kind is one of `WAVEFORMS`. Raises SpecificationError on another."""
    if kind not in WAVEFORMS:
        raise SpecificationError(f"waveform must be one of {', '.join(WAVEFORMS)}, found {kind!r}")
    return WAVEFORMS[kind]((batch, n_sources, n_snapshots), generator)
