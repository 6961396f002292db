"""The alternation: messages of the scene, samples of the scene given messages, and again."""

import math
from dataclasses import dataclass, fields, replace

import torch

from doamc.denoising.by_chance import correlated_again, uncorrelated
from doamc.denoising.guided_waveforms import Observed, WaveformSampler
from doamc.denoising.message_likelihood import MessagePosterior
from doamc.denoising.messages import Denoiser, Messages, empty, exchange
from doamc.denoising.scene_fit import SceneFit
from doamc.denoising.separated import Separated, mean_response, separate, separate_correlated, thinned, with_opinions
from doamc.posterior.report.modes import LINK_DEG, main_mode
from doamc.posterior.report.source_order import aligned
from doamc.posterior.rows import rows, with_rows
from doamc.posterior.sampled_part import SampledPart
from doamc.snapshots.effective_snapshots import effective_snapshots
from doamc.snapshots.look import look_by_numpy

SCENES = 96  #: samples over which a response is averaged
FEWEST = 16  #: snapshots, of which no kind of waveform is told from another


@dataclass(frozen=True)
class Refit:
    """Samples with what the waveforms say of the scene, and the waveforms, with the emitters in the samples' order.

    heard: (n,) bool, whether anything was learnt of the waveforms.
    """

    part: SampledPart
    separated: Separated
    heard: torch.Tensor


class Alternation:
    """Alternates between messages and scenes; rounds: of both; exchanges: rounds of messages within each.

    sampler: of waveforms, whose samples make the messages of every round in the end; None to take the denoiser's own
    mean and variance. by_chance: whether sources that are sampled as correlated ones are emitters of their own all the
    same, whose narrow signals are correlated by chance.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        fit: SceneFit,
        rounds: int = 2,
        exchanges: int = 1,
        sampler: WaveformSampler | None = None,
        by_chance: bool = True,
    ) -> None:
        self.by_chance = by_chance
        self.denoiser, self.fit, self.rounds, self.exchanges, self.sampler = denoiser, fit, rounds, exchanges, sampler

    def __call__(self, part: SampledPart, y: torch.Tensor) -> Refit:
        """Samples of a part, whose snapshots y (n, N, L) are at its level.

        Samples stay as they are where nothing is learnt of the waveforms, apart from the main mode, and where sources
        are paths of one emitter.
        """
        scenes, coordinates = part.samples.posterior, part.samples.coordinates
        x, messages = aligned(part.samples.x, coordinates), empty(y, coordinates.n_sources)
        if coordinates.n_pairs:
            plain = Refit(part, separate_correlated(scenes, x, y, messages), torch.zeros_like(messages.silent))
            return self._independent(plain, y) if self.by_chance else plain
        alone = MessagePosterior.of(scenes, y, messages, part.length)  # without messages
        main = main_mode(coordinates.split(x)[3], math.radians(LINK_DEG))
        z = alone.coordinates.turned(_of_members(coordinates.wrap(x), main))
        learnt = self._learnt(alone, z, y, part.length) if self.rounds and y.shape[2] >= FEWEST else None
        if learnt is None:
            return Refit(part, separate(alone, z, y, messages), torch.zeros_like(messages.silent))
        index, z = learnt.index, z.index_copy(0, learnt.index, learnt.z)
        messages = with_rows(messages, index, learnt.messages)
        told = (main & ~messages.silent[:, None])[:, None]
        kept = torch.where(told, alone.coordinates.scene(z), part.samples.x)
        found = separate(alone, z, y, messages)
        opinions = with_opinions(rows(found, index), learnt.posterior, learnt.z, learnt.messages)
        found = with_rows(found, index, opinions)
        return Refit(replace(part, samples=replace(part.samples, x=kept)), found, ~messages.silent)

    def _learnt(
        self,
        posterior: MessagePosterior,  # without messages
        z: torch.Tensor,  # shape: (n, d + P, samples)
        y: torch.Tensor,  # shape: (n, N, L)
        length: torch.Tensor,  # shape: (n,), effective L
    ) -> "_Learnt | None":
        """All rounds. An observation of which one learns nothing takes no part in the next; None where none is left."""
        index, messages = torch.arange(len(y), device=y.device), empty(y, posterior.coordinates.n_sources)
        for i in range(self.rounds):
            few = thinned(z, SCENES)
            value = posterior(few) if i else posterior.scenes(posterior.coordinates.scene(few))  # compiled loops
            v, noise = mean_response(posterior, few, value), posterior.noise_power(few).mean(1).expand(len(y))
            messages, scenes = self._messages(y, v, noise, messages), posterior.scenes
            heard = (~messages.silent).nonzero()[:, 0]
            if not len(heard):
                return None
            if len(heard) < len(y):
                index, messages, scenes = index[heard], rows(messages, heard), scenes.select(heard)
                y, v, z, length = y[heard], v[heard], z[heard], length[heard]
            posterior = MessagePosterior.of(
                scenes, y, messages, self._length(length, y - v @ messages.mean, v.shape[2])
            )
            z = self.fit(posterior, z)
        return _Learnt(index, posterior, z, messages)

    def _independent(self, plain: Refit, y: torch.Tensor) -> Refit:
        """What is made of correlated sources as emitters of their own, where anything is learnt of these."""
        other = self(uncorrelated(plain.part), y)
        heard = other.heard

        def chosen(name: str) -> torch.Tensor:
            new, old = getattr(other.separated, name), getattr(plain.separated, name)
            return torch.where(heard.view(-1, *[1] * (new.ndim - 1)), new, old)

        separated = Separated(*(chosen(f.name) for f in fields(Separated)))
        return Refit(correlated_again(plain.part, other.part.samples.x, heard), separated, heard)

    def _messages(self, y: torch.Tensor, v: torch.Tensor, noise: torch.Tensor, before: Messages) -> Messages:
        """Messages of a response whose phases fit those before."""
        messages = exchange(self.denoiser, y, v, noise, self.exchanges, before)
        return messages if self.sampler is None else self.sampler.messages(Observed(y, v, noise), messages)

    @staticmethod
    def _length(length: torch.Tensor, left: torch.Tensor, n_sources: int) -> torch.Tensor:
        """Effective L (n,) of what messages leave (n, N, L), not below that of the batch."""
        values, vectors = torch.linalg.eigh(left @ left.mH / left.shape[2])
        eigen = values, vectors
        found = effective_snapshots(left, eigen, look_by_numpy(left, eigen)).of_signals(n_sources)
        return torch.maximum(found, length)


@dataclass(frozen=True)
class _Learnt:
    """Messages of some observations, index (n,) among all, with their posterior and samples (n, d + P, samples)."""

    index: torch.Tensor
    posterior: MessagePosterior
    z: torch.Tensor
    messages: Messages


def _of_members(x: torch.Tensor, member: torch.Tensor) -> torch.Tensor:
    """Samples (B, d, n) with members, evenly, in the place of those that are none."""
    if bool(member.all()):
        return x
    first = (~member).long().argsort(stable=True, dim=1)
    place = torch.arange(x.shape[2], device=x.device)
    index = torch.where(member, place, first.gather(1, place % member.sum(1, keepdim=True).clamp_min(1)))
    return x.gather(2, index[:, None].expand(-1, x.shape[1], -1))
