"""Samples of the scene given messages: mode search from posterior samples, draws around the modes, Metropolis chains.

The same steps as those of method `posterior`, on another likelihood (`message_likelihood`), and started at its samples.
"""

from functools import lru_cache

import torch

from doamc.denoising.message_likelihood import MessagePosterior
from doamc.likelihood.mode_search import search_modes
from doamc.posterior.options import Options
from doamc.posterior.proposals.localisation import FoundModes
from doamc.posterior.proposals.mode_draws import ModeDraws, ModeSampler
from doamc.posterior.rows import rows
from doamc.posterior.sampling.chains import MetropolisChains
from doamc.posterior.sampling.resampling import gather

SEARCH_STARTS, SEARCH_STEPS, SURVIVORS = 4, 14, 2  #: of the mode search; samples start close to the mode
STEPS = 36  #: of chains from importance-weighted draws, of which the last `Options.keep` are kept
MODE_DRAWS = 8  #: for every chain
ENOUGH_FIT = 0.6  #: effective share of the draws, from which on they are samples themselves


class SceneFit:
    """The fit of one array; tables are drawn from the seed when a number of coordinates is first met."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def __call__(self, posterior: MessagePosterior, x: torch.Tensor) -> torch.Tensor:
        """Samples (B, d + P, chains keep) of scenes and phases; x: (B, d + P, n), to start from."""
        chains, sampler = _tables(self.options, posterior.coordinates.size, str(x.device))
        modes = self._modes(posterior, x)
        near = sampler(posterior, modes)
        kept = x.new_empty(len(x), posterior.coordinates.size, self.options.chains * self.options.keep)
        importance = near.importance(posterior.coordinates)
        sure = importance.fit >= ENOUGH_FIT
        if sure.any():
            index = sure.nonzero()[:, 0]
            kept[index] = rows(importance, index).samples(kept.shape[2], self.options.chains)
        if not sure.all():
            index = (~sure).nonzero()[:, 0]
            kept[index] = self._chains(posterior.select(index), rows(modes, index), rows(near, index), chains, sampler)
        return posterior.coordinates.wrap(kept)

    def _modes(self, posterior: MessagePosterior, x: torch.Tensor) -> FoundModes:
        picks = torch.linspace(0, x.shape[2] - 1, min(self.options.chains, x.shape[2]), dtype=torch.float64).long()
        start = x[:, :, picks.to(x.device)]
        value, order = posterior(start).topk(SEARCH_STARTS, 1)
        return FoundModes(*search_modes(posterior, gather(start, order), value, SEARCH_STEPS, SURVIVORS))

    def _chains(
        self,
        posterior: MessagePosterior,
        modes: FoundModes,
        near: ModeDraws,
        chains: MetropolisChains,
        sampler: ModeSampler,
    ) -> torch.Tensor:
        starts = sampler.starts(posterior, modes, near)
        return chains(posterior, starts.x, starts.value, starts.factors, self.options.keep).kept.flatten(2)


@lru_cache(maxsize=32)
def _tables(options: Options, size: int, device: str) -> tuple[MetropolisChains, ModeSampler]:
    o, place = options, torch.device(device)
    chains = MetropolisChains(
        o.chains, size, max(STEPS, o.keep), o.proposal_scales, o.difference_scales, o.seed + size, place
    )
    return chains, ModeSampler(o.chains, MODE_DRAWS, size, o.seed + size + 1, place)
