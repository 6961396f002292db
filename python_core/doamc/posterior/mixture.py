"""Posterior samples over several kinds of coupling: of each kind as many chains as it is probable.

    p(scene | Y) = sum_m p(m | Y) p(scene | Y, m),      p(m | Y) ~ w_m Z_m

with w_m the prior share of kind m (careful and rough builders) and Z_m the evidence. Taking the likelier kind alone
makes intervals too narrow wherever the data leave both possible.
"""

from dataclasses import replace

import torch

from doamc.likelihood.density import ExactPosterior
from doamc.posterior.sampled_part import SampledPart
from doamc.posterior.sampling.resampling import even_comb
from doamc.posterior.sampling.samples import Samples
from doamc.spec import ArraySpec


def mixed(kinds: list[SampledPart], log_evidence: torch.Tensor, spec: ArraySpec, chains: int, seed: int) -> SampledPart:
    """Samples of the same observations under every kind, as one part with coupling parameters of the whole prior.

    log_evidence: (n, M) of the kinds, prior shares included. chains: how many states follow each other in x.
    """
    first = kinds[0].samples
    share = torch.softmax(log_evidence, 1).to(first.x)
    order = torch.randperm(chains, generator=torch.Generator().manual_seed(seed)).to(first.x.device)
    comb = even_comb(chains, first.x.device)[order].expand(len(share), -1).contiguous()
    kind = torch.searchsorted(share.cumsum(1).contiguous(), comb).clamp_max(len(kinds) - 1)  # (n, S)
    places = kind[:, None].repeat(1, 1, first.x.shape[2] // chains)
    x = first.x
    for m, (part, (_, _, scale)) in enumerate(zip(kinds, spec.family.kinds, strict=True)):
        own = part.samples.x.clone()
        own[:, first.coordinates.normal] *= scale.to(own)[:, None]
        x = torch.where(places == m, own, x)
    coordinates = replace(first.coordinates, spec=spec)
    old = first.posterior
    noise = None if old.known_log_noise is None else old.known_log_noise[:, 0].exp()
    posterior = ExactPosterior(coordinates, old.covariance, old.snapshots[:, 0], noise)
    each = torch.stack([part.samples.independent for part in kinds], 1)
    independent = 1 / (share / each).sum(1)  # of a mean over all kinds, by its variance
    samples = Samples(coordinates, posterior, x, torch.full_like(x[:, 0, 0], torch.nan), first.best, independent)
    return replace(kinds[0], samples=samples, kinds=kinds, log_evidence=torch.logsumexp(log_evidence, 1))
