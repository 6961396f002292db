"""Objects that samplers share while they are in use."""

import gc
import weakref

import torch

from doamc.posterior.options import Options
from doamc.posterior.pipeline import PosteriorSampler
from doamc.posterior.samplers import Samplers
from doamc.posterior.sampling.chains import MetropolisChains
from doamc.posterior.sampling.shared import shared
from doamc.spec import load_spec

CPU = torch.device("cpu")


def test_the_same_arguments_give_the_same_object_as_long_as_it_is_in_use():
    first = shared(MetropolisChains, 8, 5, 12, (2.0,), (1.0,), 3, CPU)
    assert shared(MetropolisChains, 8, 5, 12, (2.0,), (1.0,), 3, CPU) is first
    assert shared(MetropolisChains, 8, 5, 12, (2.0,), (1.0,), 4, CPU) is not first
    gone = weakref.ref(first)
    del first
    gc.collect()
    assert gone() is None


def test_samplers_of_an_array_at_two_wavelengths_have_the_same_tables():
    spec = load_spec("uca5")
    one, two = (Samplers(s, Options(), CPU)(1) for s in (spec, spec.at(spec.frequency * 1.001)))
    assert isinstance(one, PosteriorSampler) and one.spec is not two.spec
    for name in ("chains", "long_chains", "prior_scenes", "mode_sampler"):
        assert getattr(one, name) is getattr(two, name)
    alone = MetropolisChains(*_arguments(one))
    assert torch.equal(alone.tables.normal, one.chains.tables.normal)


def _arguments(sampler):
    o, (_, size, chains) = sampler.options, sampler.chains.tables.normal.shape
    seed = o.seed + 7919 * sampler.n_sources
    return chains, size, sampler.chains.steps, o.proposal_scales, o.difference_scales, seed, CPU
