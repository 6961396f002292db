"""The fit of scenes given messages, where draws around the mode are its samples."""

import torch

from doamc.denoising.message_likelihood import MessagePosterior
from doamc.denoising.messages import Messages
from doamc.denoising.scene_fit import SceneFit
from doamc.posterior.methods import Posterior
from doamc.posterior.options import Options
from doamc.posterior.proposals.mode_draws import Importance
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch


def test_draws_that_fit_are_samples_and_bring_directions_nearer(monkeypatch):
    """Of known waveforms the posterior is normal: no chain runs, and azimuths are known better than without."""
    counts, plain = [], Importance.samples
    monkeypatch.setattr(
        Importance, "samples", lambda self, n, chains: counts.append(len(self.fit)) or plain(self, n, chains)
    )
    estimator, generator = Posterior("dipole8"), torch.Generator().manual_seed(2)
    scene = draw_scene(estimator.spec, 3, 2, 5.0, generator)
    received = receive(scene, 60, generator=generator)
    (part,) = estimator.samples(make_batch(received.snapshots), 2)
    kind = part.kinds[0]
    counts.clear()
    y = received.snapshots * part.gain.sqrt()[:, None, None]
    waveforms = torch.linalg.lstsq(scene.response, received.clean).solution / scene.power.sqrt()[:, :, None]
    told = Messages(waveforms, torch.full((3, 2), 1e-3, dtype=torch.float64), y, y)
    length = torch.full((3,), 60.0, dtype=torch.float64)
    posterior = MessagePosterior.of(kind.samples.posterior, y, told, length)
    start = posterior.coordinates.turned(kind.samples.x)
    x = SceneFit(Options())(posterior, start)
    assert counts == [3] and x.shape == (3, posterior.coordinates.size, 96 * 24) and x.isfinite().all()
    azimuth = posterior.coordinates.split(x)[3]
    assert (azimuth.std(2) < kind.samples.coordinates.split(kind.samples.x)[3].std(2)).double().mean() > 0.8
