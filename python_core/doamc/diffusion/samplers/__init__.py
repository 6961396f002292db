"""Samplers by name. Each is one small class; `sample` runs any of them with any denoiser on any grid."""

from collections.abc import Callable
from typing import Any

from doamc.diffusion.samplers.adams import Adams
from doamc.diffusion.samplers.annealed_langevin import AnnealedLangevin
from doamc.diffusion.samplers.base import Sampler, network_calls, sample
from doamc.diffusion.samplers.ddim import Ddim
from doamc.diffusion.samplers.ddpm import Ddpm
from doamc.diffusion.samplers.dpm_multistep import DpmPlusPlus2M, DpmPlusPlus3M
from doamc.diffusion.samplers.dpm_solver import DpmSolver1, DpmSolver2, DpmSolver3
from doamc.diffusion.samplers.euler_maruyama import EulerMaruyama
from doamc.diffusion.samplers.flow import FlowEuler, FlowHeun, FlowRk4
from doamc.diffusion.samplers.indi import Indi, indi_grid
from doamc.diffusion.samplers.langevin import Langevin
from doamc.diffusion.samplers.noise import ItemNoise, Noise, SharedNoise, TableNoise
from doamc.diffusion.samplers.predictor_corrector import PredictorCorrector
from doamc.errors import SamplerError

#: sampler name -> class. DDRM, which needs H and y, is `doamc.diffusion.guidance.Ddrm`.
SAMPLERS: dict[str, Callable[..., Sampler]] = {
    "ddpm": Ddpm,
    "ddim": Ddim,
    "euler-maruyama": EulerMaruyama,
    "flow-euler": FlowEuler,
    "flow-heun": FlowHeun,
    "flow-rk4": FlowRk4,
    "dpm-1": DpmSolver1,
    "dpm-2": DpmSolver2,
    "dpm-3": DpmSolver3,
    "dpm++2m": DpmPlusPlus2M,
    "dpm++3m": DpmPlusPlus3M,
    "adams": Adams,
    "predictor-corrector": PredictorCorrector,
    "langevin": Langevin,
    "annealed-langevin": AnnealedLangevin,
    "indi": Indi,
}


def make_sampler(name: str, **options: Any) -> Sampler:
    """Sampler by name (one of `SAMPLERS`); options are those of its class. Raises SamplerError on an unknown name."""
    if name not in SAMPLERS:
        raise SamplerError(f"sampler must be one of {', '.join(SAMPLERS)}, found {name!r}")
    return SAMPLERS[name](**options)


__all__ = [
    "SAMPLERS",
    "ItemNoise",
    "Noise",
    "Sampler",
    "SharedNoise",
    "TableNoise",
    "indi_grid",
    "make_sampler",
    "network_calls",
    "sample",
]
