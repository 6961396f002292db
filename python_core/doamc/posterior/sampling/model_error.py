"""Posterior samples moved by what the model may have wrong: `likelihood.model_error` applied to chains.

The last resort is for what no such error explains: coloured noise, sources that move, one more source. The samples of a
doubtful batch are spread once more, by as much as a scene would be uncertain with fewer snapshots, T / E[T] times fewer
for its misfit T (Birge, Phys. Rev. 40, 207, 1932): what is wrong is taken to move a bearing as far as everything else.
"""

import math
from dataclasses import replace
from functools import lru_cache

import torch

from doamc.errors import EstimatorError
from doamc.estimators.misfit import Misfit
from doamc.likelihood.deviance import deviance, expected_deviance
from doamc.likelihood.model_error import ModelError, linearise
from doamc.posterior.sampling.resampling import even_comb
from doamc.posterior.sampling.samples import Samples
from doamc.text import shown

LEAST_DB, MOST_DB, STEP_DB = -102.0, -6.0, 3.0  #: relative errors that are tried; half of the response is no model
#: standard deviations of the deviance, below which a batch fits: five of six on the model, and what errors are left
#: there add less than half to the variance of a response
GOOD_FIT = 1.0
SHARED = 4  #: samples that one draw of the error moves: there are thousands
ENTRIES = 1 << 20  #: numbers in the derivatives of one slice of observations, so that memory stays bounded


class ErrorDraws:
    """Moves samples by errors of the model; the tables are drawn once, from the seed.

    size: "auto", inferred from each observation; or a known relative r.m.s. error in dB.
    Raises: EstimatorError for another word.
    """

    def __init__(self, size: float | str, seed: int) -> None:
        if isinstance(size, str) and size != "auto":
            raise EstimatorError(f"model_error must be auto, none or a number of dB, found {shown(size)}")
        if isinstance(size, str):
            self.sizes_db = torch.arange(LEAST_DB, MOST_DB + STEP_DB / 2, STEP_DB, dtype=torch.float64)
        else:
            self.sizes_db = torch.tensor([float(size)], dtype=torch.float64)
        self.seed = seed

    @torch.no_grad()
    def __call__(self, samples: Samples, misfit: Misfit) -> tuple[Samples, torch.Tensor]:
        """Samples under the error, and quantiles (B, 3) of its size in dB: 5 %, median, 95 %.

        Where an error is to be inferred and the batch fits well, samples stay as they are and the quantiles are NaN.
        """
        sizes = samples.x.new_full((len(samples.x), 3), math.nan)
        places, ratio = torch.arange(len(sizes), device=sizes.device), torch.zeros_like(sizes[:, 0])
        if len(self.sizes_db) > 1:
            ratio = torch.where(misfit.doubtful, misfit.ratio.clamp_min(1.0), 0.0)
            places = places[(standardised_deviance(samples) > GOOD_FIT) | misfit.doubtful]
        if not len(places):
            return samples, sizes
        x = samples.x.clone()
        width = samples.coordinates.spec.n_elements * samples.coordinates.n_sources
        for part in places.split(max(1, ENTRIES // (2 * width * width + x.shape[1] * width))):
            some = samples if len(part) == len(x) else samples.select(part)
            x[part], sizes[part] = self._moved(some, ratio[part])
        return replace(samples, x=x), sizes

    def _moved(self, samples: Samples, ratio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Samples (B, d, n) under the error, and quantiles of its size; ratio: (B,) of the misfit, 0 where it fits."""
        (b, d, n), coordinates = samples.x.shape, samples.coordinates
        around = linearise(samples.posterior, samples.best)
        error = ModelError(samples.posterior, around, self.sizes_db)
        shared = SHARED if n % SHARED == 0 else 1
        entries = coordinates.spec.n_elements * max(2 * coordinates.n_sources, 3 if coordinates.spec.elevated else 2)
        comb, order, normal = _tables(entries, n // shared, self.seed, samples.x.device)
        shift = error.draws(comb, normal)[:, :, order]
        if ratio.any():
            further = around.spread(ratio.clamp_min(1.0)) @ _tables(d, n // shared, self.seed + 1, shift.device)[2]
            shift = torch.where((ratio > 0)[:, None, None], shift + further, shift)
        x = (samples.x.reshape(b, d, shared, -1) + shift[:, :, None]).view(b, d, n)
        low, high = (wall[: coordinates.n_box, None] for wall in (coordinates.low, coordinates.high))
        x[:, : coordinates.n_box].clamp_(low, high)
        return coordinates.wrap(x), torch.stack([error.size_db(share) for share in (0.05, 0.5, 0.95)], 1)


def standardised_deviance(samples: Samples) -> torch.Tensor:
    """Deviance (B,) of the likeliest scene less its mean, over its deviation on the model; inf with few snapshots."""
    posterior, coordinates = samples.posterior, samples.coordinates
    value, snapshots = posterior(samples.best[:, :, None])[:, 0], posterior.snapshots[:, 0]
    found = deviance(value, posterior.covariance, snapshots)
    mean, deviation = expected_deviance(len(posterior.eye), snapshots, coordinates.size - coordinates.n_normal)
    return ((found - mean) / deviation).nan_to_num(math.inf, math.inf)


@lru_cache(maxsize=8)
def _tables(rows: int, count: int, seed: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """An even comb and a permutation (count,), and normal numbers (rows, count)."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(count, generator=generator)
    normal = torch.randn(rows, count, generator=generator, dtype=torch.float64)
    return even_comb(count, device), order.to(device), normal.to(device)
