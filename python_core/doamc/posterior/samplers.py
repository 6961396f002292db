"""The samplers of one array: for every number of sources, kind of coupling and way to take sources."""

from dataclasses import replace

import torch

from doamc.errors import EstimatorError
from doamc.estimators.null_spectrum import NullSpectrum
from doamc.estimators.sphere_rare import start_spectrum
from doamc.posterior.kinds import kinds_of
from doamc.posterior.options import Options, by_direction, few_snapshots
from doamc.posterior.pipeline import PosteriorSampler
from doamc.spec import ArraySpec

DRAWN_BROAD_DEG = 2.5  #: `Options.broad_deg` for coupling drawn from antennas


class Samplers:
    """Samplers that are made when first asked for; kinds: of coupling, as in `kinds_of`."""

    def __init__(self, spec: ArraySpec, options: Options, device: torch.device) -> None:
        self.spec, self.options, self.device = spec, options, device
        self.kinds = kinds_of(spec)
        self._null_spectrum = start_spectrum(spec) if spec.elevated else NullSpectrum(spec)
        self._made: dict[tuple[int, bool, bool, int], PosteriorSampler] = {}

    def __call__(self, n_sources: int, few: bool = False, coherent: bool = False, kind: int = 0) -> PosteriorSampler:
        """Sampler for P sources; few: for fewer snapshots than elements; coherent: for sources of any correlation.

        kind: of coupling, where the prior has several. Raises EstimatorError outside the specification's numbers of
        sources.
        """
        low, high = self.spec.source_count
        if not low <= n_sources <= high:
            raise EstimatorError(
                f"the prior of {self.spec.name} knows {low} to {high} sources, found {n_sources}; "
                "use another method or a specification with more"
            )
        key = n_sources, few, coherent and n_sources > 1, kind
        if key not in self._made:
            options = few_snapshots(self.options) if few else self.options
            if self.spec.directional:
                options = by_direction(options)
            if self.spec.family.narrow:  # how an array is turned is never known better than its builders place it
                options = replace(options, broad_deg=DRAWN_BROAD_DEG)
            spec = self.kinds[kind][1]
            self._made[key] = PosteriorSampler(spec, self._null_spectrum, n_sources, options, key[2], self.device)
        return self._made[key]
