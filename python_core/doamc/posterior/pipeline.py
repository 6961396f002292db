"""From sample covariances to weighted-out posterior samples: propose, weight, localise, correct."""

import math
from functools import cached_property

import torch

from doamc.errors import EstimatorError
from doamc.estimators.features import FeatureMap
from doamc.likelihood.coordinates import Coordinates, make_coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.mode_search import covariance_factors, search_modes
from doamc.likelihood.separation import separate
from doamc.posterior.options import Options, wide
from doamc.posterior.proposals.alternating_projection import AlternatingProjection
from doamc.posterior.proposals.network import ScoreNet
from doamc.posterior.proposals.prior_draws import Bank
from doamc.posterior.proposals.proposer import Proposer
from doamc.posterior.proposals.rare_starts import rank_reduction_starts
from doamc.posterior.proposals.scene_vector import StateLayout
from doamc.posterior.report.source_order import align
from doamc.posterior.sampling.chains import Walk
from doamc.posterior.sampling.random_tables import whitened
from doamc.posterior.sampling.resampling import gather, same, systematic, tempering
from doamc.posterior.sampling.samples import Samples


class Engine:
    """The sampler for one array and one number of sources; every random table is drawn once, from the seed."""

    def __init__(
        self,
        net: ScoreNet,
        layout: StateLayout,
        features: FeatureMap,
        n_sources: int,
        options: Options,
        coherent: bool = False,
    ) -> None:
        self.coherent = coherent and n_sources > 1
        self.net, self.layout, self.features, self.n_sources, self.options = net, layout, features, n_sources, options
        o = options
        self.proposer = Proposer(net, o.samples, o.ddim_steps, o.seed, (-7.0, 9.0))
        device = next(net.parameters()).device
        d = 2 * n_sources + layout.spec.family.n_parameters + 1
        d += n_sources * (n_sources - 1) if self.coherent else 0
        seed = o.seed + 7919 * n_sources
        steps = o.steps if d <= 10 else 3 * o.steps // 2  # a walk in more dimensions forgets its start later
        self.walk = Walk(o.chains, d, steps, o.reach, o.leap, seed, device)
        self.long_walk = Walk(o.chains, d, o.long_steps, o.reach, o.leap, seed + 104_729, device)
        self.bank = Bank(o.bank, d, o.seed + 1, device) if o.bank else None
        generator = torch.Generator().manual_seed(seed + 1)
        fine = o.draws * o.chains
        table = torch.randn(fine, d, generator=generator, dtype=torch.float64)
        self.start = whitened(table)[torch.randperm(fine, generator=generator)].to(device)
        self.fine_comb = (torch.arange(fine, dtype=torch.float64, device=device) + 0.5) / fine
        self.comb = (torch.arange(o.chains, dtype=torch.float64, device=device) + 0.5) / o.chains

    @cached_property
    def projection(self) -> AlternatingProjection:
        """Starts for coherent sources."""
        o = self.options
        return AlternatingProjection(self.layout.spec, self.n_sources, self.features.grid, o.samples, o.seed)

    @cached_property
    def thorough(self) -> "Engine":
        """The sampler for observations whose posterior this one finds broad."""
        return Engine(self.net, self.layout, self.features, self.n_sources, wide(self.options), self.coherent)

    @torch.no_grad()
    def __call__(
        self,
        covariance: torch.Tensor,  # shape: (B, N, N), at the prior's level
        snapshots: torch.Tensor,  # shape: (B,), effective L
        noise_power: torch.Tensor | None,  # shape: (B,), where known
        power_margin_db: float = 0.0,
    ) -> Samples:
        """Posterior samples; power_margin_db widens the prior over source powers at both ends."""
        b = covariance.shape[0]
        o, p, spec = self.options, self.n_sources, self.layout.spec
        count = torch.full((b,), p)
        known = torch.full((b,), noise_power is not None)
        given = torch.ones(b, dtype=torch.float64) if noise_power is None else noise_power
        features = self.features(covariance, snapshots, count, given, known)
        unknown = noise_power is None
        coordinates = make_coordinates(
            spec, p, unknown, spec.noise_db, power_margin_db, covariance.device, self.coherent
        )
        posterior = ExactPosterior(coordinates, covariance, snapshots, noise_power)
        if self.coherent:  # the network has seen uncorrelated sources alone
            x = self.projection(coordinates, covariance)
        else:
            z = self.proposer(features, self.layout.mask(count))
            x = self.to_coordinates(coordinates, z, covariance, snapshots)
            if not bool(x.isfinite().all()):
                raise EstimatorError("expected finite proposals of the network, found others: its weights are damaged")
        value = posterior(x)
        if self.bank is not None:
            best_x, best_value, x_bank, v_bank, fair = self.bank(posterior, 4 * o.survivors, self.comb)
            x, value = torch.cat([x, best_x], 2), torch.cat([value, best_value], 1)
        # weights: the power of the likelihood that leaves a quarter of the samples effective, at most its square root
        top, order = value.topk(o.climbers, 1)
        classic = gather(x, order[:, :4]) if self.coherent else self.classic(coordinates, features, covariance)
        usable = (snapshots > p)[:, None, None] & torch.ones_like(classic[:, :1], dtype=torch.bool)
        extra = torch.where(usable, classic, gather(x, order[:, : classic.shape[2]]))
        first = torch.cat([gather(x, order), extra], 2)
        peak, height = search_modes(posterior, first, torch.cat([top, posterior(extra)], 1), o.climb_steps, o.survivors)
        best = height.max(1, keepdim=True)[0]
        power = tempering(value, 0.25 * o.samples, 0.5)
        weight = torch.softmax(power[:, None] * (value - value.max(1, keepdim=True)[0]), 1)
        deficit = (weight * (best - value).clamp_max(1e6)).sum(1)
        localised = deficit > coordinates.size
        index = systematic(weight, self.comb)
        x_wide, v_wide = gather(x, index), value.gather(1, index)
        x_near, v_near, roots, fit = self.around(posterior, peak, height)
        localised = localised | (fit > o.fit)
        if self.bank is not None:
            x_wide = torch.where(fair[:, None, None], x_bank, x_wide)
            v_wide = torch.where(fair[:, None], v_bank, v_wide)
            localised = localised & ~fair
        x = torch.where(localised[:, None, None], x_near, x_wide)
        value = torch.where(localised[:, None], v_near, v_wide)
        if not bool(localised.all()):
            roots = torch.where(localised[:, None, None, None], roots, covariance_factors(posterior, x_wide))
        x, value, kept, acceptance = self.walk(posterior, x, value, roots, o.keep)
        kept = kept.flatten(2)
        hard = (self.width(kept, coordinates) > math.radians(o.hard_deg)).nonzero()[:, 0]
        if len(hard) and o.bank and o.keep <= o.long_steps * 2 // 3:
            kept[hard] = self.longer(posterior.select(hard), x[hard], value[hard], kept.shape[2])
        elif len(hard) and not o.bank:
            noise = None if noise_power is None else noise_power[hard]
            again = self.thorough(covariance[hard], snapshots[hard], noise, power_margin_db).x
            kept[hard] = again.unflatten(2, (-1, o.chains))[:, :, 1::2].flatten(2)
        return Samples(coordinates, posterior, coordinates.wrap(kept), acceptance, localised)

    def around(
        self, posterior: ExactPosterior, peak: torch.Tensor, height: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Chains (B, d, S) around modes (B, d, G), their log posterior, Cholesky factors of their modes, fit (B,).

        Normal draws around each mode, one copy of each, resampled by their importance; where too few of them count
        (walls, skewed posteriors) the importance is tempered, and the walk does the rest. The fit is the effective
        share of the draws: near 1 where the posterior is a sum of normal distributions.
        """
        coordinates = posterior.coordinates
        root = covariance_factors(posterior, peak)
        volume = root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        mass = torch.log_softmax(height + volume - same(peak, root, coordinates).sum(-1).log(), 1)
        which = systematic(mass.exp(), self.fine_comb)
        roots = root.gather(1, which[..., None, None].expand(-1, -1, *root.shape[2:]))
        z = self.start[:, : coordinates.size]
        drawn = coordinates.reflect(gather(peak, which) + (roots @ z[..., None])[..., 0].transpose(1, 2))
        value = posterior(drawn)
        log_weight = value - (mass - volume).gather(1, which) + 0.5 * z.square().sum(1)
        log_weight = (log_weight - log_weight.amax(1, keepdim=True)).nan_to_num(nan=0.0, neginf=-1e6)
        fit = 1 / torch.softmax(log_weight, 1).square().sum(1) / log_weight.shape[1]
        power = tempering(log_weight, 0.5 * self.options.chains, 1.0)
        index = systematic(torch.softmax(power[:, None] * log_weight, 1), self.comb)
        index = torch.where(value.gather(1, index) > -math.inf, index, value.argmax(1, keepdim=True))
        none = (value == -math.inf).all(1)[:, None]  # a mode in a corner of the prior: start at the modes themselves
        drawn = torch.where(none[:, None], gather(peak, which), drawn)
        value = torch.where(none, height.gather(1, which), value)
        roots = roots.gather(1, index[..., None, None].expand(-1, -1, *root.shape[2:]))
        return gather(drawn, index), value.gather(1, index), roots, fit

    def width(self, x: torch.Tensor, coordinates: Coordinates) -> torch.Tensor:
        """Largest standard deviation (B,) of the azimuths of samples, rad."""
        return align(coordinates.split(x)[3], coordinates)[0].std(2).amax(1)

    def longer(self, posterior: ExactPosterior, x: torch.Tensor, value: torch.Tensor, count: int) -> torch.Tensor:
        """Samples (B, d, count) of a walk that goes on from x, for posteriors that are wide or in several places."""
        stride = max(1, self.options.long_steps * 2 // 3 * x.shape[2] // count)
        keep = stride * count // x.shape[2]
        kept = self.long_walk(posterior, x, value, covariance_factors(posterior, x), keep)[2]
        return kept[:, :, stride - 1 :: stride].flatten(2)

    def to_coordinates(
        self, coordinates: Coordinates, z: torch.Tensor, covariance: torch.Tensor, snapshots: torch.Tensor
    ) -> torch.Tensor:
        """Network states (B, S, D) as points (B, d, S), moved into the prior's support."""
        azimuth, power_db, theta, noise_db = self.layout.decode(z, self.n_sources)
        flat, wrapping = self.layout.spec.family.coordinates(theta)
        azimuth = separate(azimuth.sort(-1)[0], coordinates)
        if coordinates.unknown_noise:
            n, p = covariance.shape[-1], self.n_sources
            values = torch.linalg.eigvalsh(covariance)[:, : n - p].mean(1) * snapshots / (snapshots - p).clamp_min(0.5)
            plain = 10 * values.clamp_min(1e-12).log10()[:, None].expand_as(noise_db)
            noise_db = torch.where((snapshots >= n)[:, None], plain, noise_db)
        power_db, flat, azimuth, wrapping = (v.transpose(1, 2) for v in (power_db, flat, azimuth, wrapping))
        return coordinates.clip(coordinates.join(power_db, flat, noise_db[:, None], azimuth, wrapping))

    def classic(self, coordinates: Coordinates, features: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
        """Rank-reduction starts (B, d, Q) in the prior's support."""
        spectrum = self.features.null_spectrum(features).double()
        azimuth, power_db, theta, noise_db = rank_reduction_starts(
            coordinates, spectrum, self.features.grid, covariance
        )
        azimuth = separate(azimuth.transpose(1, 2), coordinates).transpose(1, 2)
        flat, wrapping = (v.transpose(1, 2) for v in coordinates.spec.family.coordinates(theta))
        return coordinates.clip(coordinates.join(power_db, flat, noise_db[:, None], azimuth, wrapping))
