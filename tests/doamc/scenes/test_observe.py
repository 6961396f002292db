import math

import numpy as np
import pytest
import torch

from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec


@pytest.mark.parametrize("waveform", ["gaussian", "qpsk", "constant-modulus"])
def test_sample_covariance_tends_to_the_model(waveform):
    generator = torch.Generator().manual_seed(2)
    scene = draw_scene(load_spec("ula8"), 4, 2, 5.0, generator)
    r_hat = make_batch(receive(scene, 100_000, waveform, generator).snapshots).covariance
    # each entry of a sample covariance has variance R_ii R_jj / L at most: 6 standard deviations
    diagonal = scene.covariance.diagonal(dim1=1, dim2=2).real
    bound = 6 * (diagonal[:, :, None] * diagonal[:, None, :] / 100_000).sqrt()
    assert ((r_hat - scene.covariance).abs() < bound).all()


def test_coherent_paths_have_a_rank_one_clean_covariance():
    generator = torch.Generator().manual_seed(3)
    scene = draw_scene(load_spec("ula8"), 4, 3, 5.0, generator)
    clean = receive(scene, 100, "coherent", generator).clean
    values = torch.linalg.eigvalsh(clean @ clean.mH)
    assert (values[:, -2] < 1e-10 * values[:, -1]).all()


def test_noise_is_white_circular_and_of_the_stated_power():
    generator = torch.Generator().manual_seed(4)
    scene = draw_scene(load_spec("uca5"), 2, 1, (-3.0, 3.0), generator)
    received = receive(scene, 50_000, generator=generator)
    noise = (received.snapshots - received.clean) / scene.noise_power.sqrt()[:, None, None]
    within = 6 / math.sqrt(50_000)
    eye = torch.eye(5, dtype=torch.complex128)
    assert ((noise @ noise.mH / 50_000 - eye).abs() < within).all()
    assert ((noise @ noise.mT / 50_000).abs() < within * math.sqrt(2)).all()


def test_clean_snapshots_lie_in_the_span_of_the_coupled_steering_vectors():
    generator = torch.Generator().manual_seed(5)
    scene = draw_scene(load_spec("ula8"), 1, 2, 5.0, generator)
    clean = receive(scene, 20, "qpsk", generator).clean[0].numpy()
    v = scene.response[0].numpy()
    s = np.linalg.lstsq(v, clean, rcond=None)[0]
    assert np.abs(v @ s - clean).max() < 1e-12
    assert np.allclose(np.abs(s) ** 2, scene.power[0].numpy()[:, None])  # QPSK keeps its power in every sample
