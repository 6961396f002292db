"""The chain of the source paper on weights that ship: what it removes, what its network is worth, its options."""

import math

import pytest
import torch

from doamc.denoising.snapshot_ddim import SnapshotDdim
from doamc.denoising.snapshot_net import SnapshotNet
from doamc.denoising.wiener import subspace_wiener
from doamc.errors import CheckpointError, EstimatorError
from doamc.estimators.engine import open_estimator
from doamc.learning.checkpoint import Checkpoint, save_checkpoint
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.snapshots.noise_level import noise_power_from_eigenvalues
from doamc.spec import load_spec

SPEC = load_spec("ula8")


def scenes(snr_db, count=6, length=60):
    generator = torch.Generator().manual_seed(14)
    scene = draw_scene(SPEC, count, 2, snr_db, generator)
    received = receive(scene, length, generator=generator)
    return received, make_batch(received.snapshots, None, scene.noise_power)


def left_db(clean, received):
    """Error of denoised snapshots over that of the received ones, dB."""
    error = [float((v - received.clean).abs().square().sum()) for v in (clean, received.snapshots)]
    return 10 * math.log10(error[0] / error[1])


def denoised(method, batch):
    return method.denoise(batch, batch.noise_power)[0]


@pytest.mark.parametrize("snr_db", [0.0, 10.0])
def test_the_mean_of_the_samples_is_what_one_call_of_the_network_makes(snr_db):
    """Eight samples of the posterior leave an eighth more error than its mean, 0.5 dB; one sample twice, 3 dB."""
    received, batch = scenes(snr_db)
    one_call = left_db(denoised(SnapshotDdim(SPEC, sampler="none"), batch), received)
    eight = left_db(denoised(SnapshotDdim(SPEC), batch), received)
    single = left_db(denoised(SnapshotDdim(SPEC, samples=1), batch), received)
    assert one_call < (-3.5 if snr_db == 0 else -1.8)
    assert eight < one_call + 0.7 and one_call + 1.5 < single < one_call + 3.6


def test_without_its_network_it_removes_less():
    """The ablation. With the score of N(0, I), F = 0, what is left at 0 dB is the Wiener filter of white snapshots:
    the network is worth a decibel. Data-blind (eta=0) nothing is denoised. Yet one snapshot does not tell the scene:
    the batch's own subspace, which is no network at all, removes more than either.
    """
    received, batch = scenes(0.0)
    method, white = SnapshotDdim(SPEC), SnapshotDdim(SPEC)
    for parameter in white.denoiser.net.last.parameters():
        parameter.data.zero_()
    with_net, without = left_db(denoised(method, batch), received), left_db(denoised(white, batch), received)
    assert with_net < without - 1.0
    assert left_db(denoised(SnapshotDdim(SPEC, guidance="step", eta=0.0), batch), received) > 0
    noise = noise_power_from_eigenvalues(batch.covariance, 2)
    assert left_db(subspace_wiener(batch.covariance, 2, noise) @ batch.snapshots, received) < with_net - 1.0


@pytest.mark.parametrize(
    "options",
    [
        "sampler=ddpm,guidance=dps,eta=0.3,steps=50,samples=1",
        "sampler=euler-maruyama,guidance=likelihood,samples=2",
        "guidance=step",
    ],
)
def test_options_are_those_of_the_paper(options):
    _, batch = scenes(10.0, 2, 20)
    estimator = open_estimator(f"ddim-snapshot:{options}", SPEC, 2, "cpu", 0)
    found, again = (estimator(batch, 2) for _ in range(2))
    assert torch.isfinite(found.azimuth).all() and torch.equal(found.clean, again.clean)
    assert estimator.name == f"ddim-snapshot:{options}"


def test_observations_do_not_know_each_other():
    _, batch = scenes(5.0, 3, 20)
    method = SnapshotDdim(SPEC, samples=2, sampler="ddpm")
    whole = denoised(method, batch)
    assert torch.allclose(denoised(method, batch.select(slice(1, 2)))[0], whole[1], atol=1e-4)


def test_bad_options_and_old_weights_are_said(tmp_path):
    for options, words in (
        ({"sampler": "indi"}, "sampler must be one of none, ddpm"),
        ({"guidance": "x"}, "guidance must be one of step"),
        ({"eta": 0.3}, "eta is the strength of guidance step, likelihood, dps"),
    ):
        with pytest.raises(EstimatorError, match=words):
            SnapshotDdim(SPEC, **options)
    path = tmp_path / "old.safetensors"
    tensors = SnapshotNet(SPEC).state_dict()
    save_checkpoint(path, Checkpoint("snapshot", SPEC, {"width": 384, "blocks": 3}, {}, tensors))
    with pytest.raises(CheckpointError, match="expected a snapshot net of form 2, found 1"):
        SnapshotDdim(SPEC, path)
