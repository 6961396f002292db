"""From sample covariances to posterior samples: propose, weigh, localise, run Metropolis chains (docs/posterior.md)."""

import math
from functools import cached_property

import torch

from doamc.estimators.null_spectrum import NullSpectrum
from doamc.estimators.sphere import SphereGrid
from doamc.estimators.sphere_rare import SphereRare
from doamc.likelihood.coordinates import Coordinates, make_coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.metropolis import ChainRun
from doamc.posterior.observations import Observations
from doamc.posterior.options import Options, broad
from doamc.posterior.proposals.alternating_projection import AlternatingProjection
from doamc.posterior.proposals.localisation import FoundModes, find_modes
from doamc.posterior.proposals.mode_draws import ModeDraws, ModeSampler
from doamc.posterior.proposals.prior_draws import PriorDraws
from doamc.posterior.proposals.prior_scenes import PriorScenes
from doamc.posterior.proposals.proposals import Proposals
from doamc.posterior.proposals.rare_starts import rare_points
from doamc.posterior.proposals.ridge import has_ridge
from doamc.posterior.proposals.ridge_draws import DRAWS, LEAST_FIT, RidgeSampler
from doamc.posterior.proposals.starts import choose_starts
from doamc.posterior.proposals.weights import weigh
from doamc.posterior.rows import rows
from doamc.posterior.sampling.broad import azimuth_width, longer_samples, settled_steps
from doamc.posterior.sampling.chains import MetropolisChains
from doamc.posterior.sampling.resampling import even_comb, gather
from doamc.posterior.sampling.samples import Samples
from doamc.posterior.sampling.shared import shared
from doamc.spec import ArraySpec

CPU = torch.device("cpu")
#: primes that keep the random tables of one seed apart: by the number of sources, and of chains that go on
SOURCES_SEED, LONG_SEED = 7919, 104_729
FEW_DIMENSIONS = 10  #: up to which chains forget their starts in `Options.steps`; beyond they take half as many more
PRIOR_STARTS = 4  #: best prior scenes that join the proposals, for each survivor of the mode search
COHERENT_STARTS = 4  #: of the best proposals that stand in for rank reduction, which coherent sources deny


class PosteriorSampler:
    """The sampler for one array and one number of sources; random tables are drawn once, from the seed."""

    def __init__(
        self,
        spec: ArraySpec,
        null_spectrum: NullSpectrum | SphereRare,
        n_sources: int,
        options: Options,
        coherent: bool = False,
        device: torch.device = CPU,
    ) -> None:
        self.coherent = coherent and n_sources > 1
        self.spec, self.null_spectrum, self.n_sources, self.options = spec, null_spectrum, n_sources, options
        self.device, o = device, options
        d = (3 if spec.elevated else 2) * n_sources + spec.family.n_parameters + 1
        d += n_sources * (n_sources - 1) if self.coherent else 0
        seed = o.seed + SOURCES_SEED * n_sources
        steps = o.steps if d <= FEW_DIMENSIONS else 3 * o.steps // 2
        scales = o.proposal_scales, o.difference_scales
        self.chains = shared(MetropolisChains, o.chains, d, steps, *scales, seed, device)
        self.long_chains = shared(MetropolisChains, o.chains, d, o.long_steps, *scales, seed + LONG_SEED, device)
        self.prior_scenes = shared(PriorScenes, o.prior_scenes, d, o.seed, device)
        self.prior_draws = shared(PriorDraws, o.prior_draws, d, o.seed + 1, device) if o.prior_draws else None
        self.mode_sampler = shared(ModeSampler, o.chains, o.mode_draws, d, seed + 1, device)
        self.ridge_sampler = shared(RidgeSampler, o.chains, d, seed + 2, device)
        self.comb = even_comb(o.chains, device)
        self._coordinates: dict[tuple[bool, float, torch.device], Coordinates] = {}

    @cached_property
    def projection(self) -> AlternatingProjection:
        """Starts for coherent sources."""
        o, grid = self.options, self.null_spectrum.grid
        if isinstance(grid, SphereGrid):  # a coarser one, since every coupling is tried in every direction
            grid = SphereGrid(self.spec, 2 * grid.step)
        return AlternatingProjection(self.spec, self.n_sources, grid, o.projections, o.seed)

    @cached_property
    def broad_sampler(self) -> "PosteriorSampler":
        """The sampler for observations whose posterior this one finds broad."""
        options = broad(self.options)
        return PosteriorSampler(self.spec, self.null_spectrum, self.n_sources, options, self.coherent, self.device)

    @torch.no_grad()
    def __call__(self, observations: Observations) -> Samples:
        """Posterior samples."""
        posterior = self.posterior(observations)
        proposals = self.propose(posterior)
        modes = find_modes(posterior, proposals.x, proposals.value, proposals.classical, self.options)
        near = self.mode_sampler(posterior, modes)
        sure = (near.single & (near.fit >= self.options.enough_fit)).nonzero()[:, 0]
        o, b, d = self.options, len(near.fit), posterior.coordinates.size
        kept, log_mass, run = near.value.new_empty(b, d, o.chains * o.keep), near.value.new_full((b,), math.nan), None
        left, top = torch.ones_like(near.single), modes.value.max(1)
        independent = near.value.new_full((b,), float(o.chains))  # a state of every chain
        best = gather(modes.x, top.indices[:, None])[:, :, 0]
        if len(sure):
            importance = rows(near, sure).importance(posterior.coordinates)
            enough = importance.fit >= o.enough_fit
            left[sure] = ~enough
            kept[sure] = importance.samples(kept.shape[2], o.chains)
            log_mass[sure[enough]] = importance.log_mass()[enough]
            independent[sure[enough]] = importance.independent()[enough]
        if left.all():
            run = self.run_chains(posterior, proposals, modes, near)
            kept, best = run.kept.flatten(2), likelier(best, top.values, run)
        elif left.any():
            index = left.nonzero()[:, 0]
            some = rows(proposals, index), rows(modes, index), rows(near, index)
            run = self.run_chains(posterior.select(index), *some)
            kept[index], best[index] = run.kept.flatten(2), likelier(best[index], top.values[index], run)
        ridges, starts = self.along_ridges(posterior, best, kept)
        log_mass[ridges], independent[ridges] = math.nan, starts.clamp_max(o.chains)
        wide = self.again_where_broad(observations, posterior, run, kept, ridges)
        log_mass[wide], independent[wide] = math.nan, o.chains
        return Samples(posterior.coordinates, posterior, posterior.coordinates.wrap(kept), log_mass, best, independent)

    def posterior(self, observations: Observations) -> ExactPosterior:
        """The exact posterior of observations."""
        o, spec = observations, self.spec
        key = o.noise_power is None, o.power_margin_db, o.covariance.device
        if key not in self._coordinates:
            self._coordinates[key] = make_coordinates(
                spec, self.n_sources, key[0], spec.noise_db, key[1], key[2], self.coherent
            )
        return ExactPosterior(self._coordinates[key], o.covariance, o.snapshots, o.noise_power)

    def propose(self, posterior: ExactPosterior) -> Proposals:
        """Steps 1 and 2: points that the prior, its draws weighted by the likelihood, and rank reduction propose."""
        o = self.options
        if self.coherent:
            x = self.projection(posterior.coordinates, posterior.covariance)
        else:
            x = self.prior_scenes(posterior)
        value, prior = posterior(x), None
        if self.prior_draws is not None:
            prior = self.prior_draws(posterior, PRIOR_STARTS * o.survivors, self.comb)
            x, value = torch.cat([x, prior.best], 2), torch.cat([value, prior.best_value], 1)
        if self.coherent:
            classical = gather(x, value.topk(o.search_starts, 1)[1][:, :COHERENT_STARTS])
        else:
            classical = rare_points(self.null_spectrum, posterior, o.splits)
        return Proposals(x, value, classical, prior)

    def run_chains(
        self, posterior: ExactPosterior, proposals: Proposals, modes: FoundModes, near: ModeDraws
    ) -> ChainRun:
        """Steps 3 to 5: weights, whether chains start around modes, and the chains."""
        tried = self.options.projections if self.coherent else self.options.prior_scenes
        weighted = weigh(posterior, proposals.x, proposals.value, tried, self.comb)
        too_wide = modes.deficit(weighted.weight, proposals.value) > posterior.coordinates.size
        localised = too_wide | (near.fit > self.options.least_fit)
        around = self.mode_sampler.starts(posterior, modes, near)
        starts = choose_starts(posterior, localised, around, weighted, proposals.prior)
        return self.chains(posterior, starts.x, starts.value, starts.factors, self.options.keep)

    def along_ridges(
        self, posterior: ExactPosterior, best: torch.Tensor, kept: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Kept (B, d, n) anew where coupling can stand for elevation, by chains that start along the ridge.

        Which (R,), and how many independent starts they had. Elevations alone have such ridges. Draws from the prior,
        where they are made, find the whole of a posterior.
        """
        places = torch.empty(0, dtype=torch.int64, device=kept.device)
        if self.spec.elevated and self.prior_draws is None:
            places = has_ridge(posterior, best).nonzero()[:, 0]
        if not len(places):
            return places, best[:0, 0]
        some = posterior.select(places)
        starts, fit = self.ridge_sampler(some, best[places])
        run = self.chains(some, starts.x, starts.value, starts.factors, self.options.keep)
        good = fit > LEAST_FIT
        kept[places[good]] = run.kept.flatten(2)[good]
        return places[good], DRAWS * fit[good]

    def again_where_broad(
        self,
        observations: Observations,
        posterior: ExactPosterior,
        run: ChainRun | None,
        kept: torch.Tensor,
        done: torch.Tensor,
    ) -> torch.Tensor:
        """Step 5, its second half: kept (B, d, n) of broad posteriors anew, by more and longer chains; which (W,).

        done: observations that are left as they are.
        """
        o = self.options
        broad = azimuth_width(kept, posterior.coordinates) > math.radians(o.broad_deg)
        broad[done] = False
        wide = broad.nonzero()[:, 0]
        if not len(wide):
            return wide
        if self.prior_draws is None:
            again = self.broad_sampler(observations.select(wide)).x
            kept[wide] = again.unflatten(2, (-1, o.chains))[:, :, 1::2].flatten(2)  # it keeps twice as many states
        elif run is not None and o.keep <= settled_steps(o.long_steps):
            kept[wide] = longer_samples(
                self.long_chains, posterior.select(wide), run.x[wide], run.value[wide], kept.shape[2]
            )
        return wide


def likelier(best: torch.Tensor, value: torch.Tensor, run: ChainRun) -> torch.Tensor:
    """Points (B, d) of log posterior value (B,), or where chains ended in likelier ones."""
    end = run.value.max(1)
    found = gather(run.x, end.indices[:, None])[:, :, 0]
    return torch.where((end.values > value)[:, None], found, best)
