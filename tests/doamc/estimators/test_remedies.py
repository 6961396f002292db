"""What a receiver does is undone: noise is white again, channels are in order, nothing of a silent one is heard."""

import torch

from doamc.estimators.noise_models import NoiseModel
from doamc.estimators.remedies import Remedy
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from doamc.trials.mismatch.trial import draw_trial

SPEC = load_spec("ula8")
ORDER = torch.arange(8)


def test_noise_of_any_covariance_becomes_white_of_the_same_mean_power():
    for kind, u in (("channels", torch.linspace(-1, 1, 8)), ("shared", [0.3, 0.5]), ("common", [-1.0, 2.0])):
        k = NoiseModel(kind, SPEC.positions).covariance(torch.as_tensor(u, dtype=torch.float64)[None])[0]
        remedy = Remedy(8, ORDER, noise=k)
        g = remedy.spec(SPEC).family.heard_by
        white = g @ k.to(g) @ g.mH
        assert torch.allclose(white, k.diagonal().mean() * torch.eye(8, dtype=g.dtype))
        batch = make_batch(draw_trial(1, torch.Generator().manual_seed(1)).snapshots)
        heard = remedy.batch(batch)
        assert torch.allclose(heard.covariance, heard.snapshots @ heard.snapshots.mH / 200)
        assert torch.allclose(heard.snapshots, g @ batch.snapshots)


def test_a_silent_channel_has_noise_of_its_level_and_no_response():
    batch = make_batch(draw_trial(1, torch.Generator().manual_seed(1), snapshots=4000).snapshots)
    remedy = Remedy(12, ORDER, silent=3, noise_power=0.25)
    heard = remedy.batch(batch)
    assert torch.allclose(heard.covariance, heard.snapshots @ heard.snapshots.mH / 4000)
    others = [0, 1, 2, 4, 5, 6, 7]
    assert torch.equal(heard.snapshots[:, others], batch.snapshots[:, others])
    assert abs(float(heard.covariance[0, 3, 3].real) / 0.25 - 1) < 5 / 4000**0.5  # five deviations
    family = remedy.spec(SPEC).family
    assert not family.mean[3].any() and not family.patterns[:, 3].any() and family.mean[2].any()


def test_channels_are_put_in_order():
    batch = make_batch(draw_trial(1, torch.Generator().manual_seed(1)).snapshots)
    order = torch.tensor([0, 1, 3, 2, 4, 5, 6, 7])
    heard = Remedy(300, order).batch(batch)
    assert torch.equal(heard.snapshots[:, 2], batch.snapshots[:, 3])
    assert torch.allclose(heard.covariance[:, 2, 4], batch.covariance[:, 3, 4])
    assert Remedy(300, order).spec(SPEC) is SPEC
