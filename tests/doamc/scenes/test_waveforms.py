import math

import pytest
import torch

from doamc.errors import SpecificationError
from doamc.scenes import WAVEFORMS, draw_waveforms


def drawn(kind, batch=40, n_sources=2, n_snapshots=2000, seed=1):
    return draw_waveforms(kind, batch, n_sources, n_snapshots, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", WAVEFORMS)
def test_mean_power_is_one(kind):
    s = drawn(kind)
    assert s.shape == (40, 2, 2000) and s.dtype == torch.complex128
    # |s|^2 of a Gaussian has unit variance: 5 standard errors of 80 000 (coherent paths share the samples)
    assert s.abs().square().mean() == pytest.approx(1.0, abs=5 / math.sqrt(80_000))


@pytest.mark.parametrize("kind", WAVEFORMS)
def test_waveforms_are_circular(kind):
    """E s = 0 and E s^2 = 0, so that no estimator may lean on a preferred phase; coherent paths turn as a whole."""
    s = drawn(kind)
    assert s.mean().abs() < 5 / math.sqrt(80_000)
    assert s.square().mean().abs() < 5 * math.sqrt(2 / 80_000)


@pytest.mark.parametrize("kind", [k for k in WAVEFORMS if k != "coherent"])
def test_sources_are_uncorrelated(kind):
    s = drawn(kind, n_sources=3)
    r = s @ s.mH / s.shape[2]
    off = r - torch.diag_embed(r.diagonal(dim1=1, dim2=2))
    assert off.abs().max() < 5.5 / math.sqrt(2000)  # Rayleigh tail over 360 entries: exp(-30) each


def test_coherent_paths_are_one_waveform_under_fixed_phases():
    s = drawn("coherent")
    ratio = s[:, 1] / s[:, 0]
    assert (ratio - ratio[:, :1]).abs().max() < 1e-9
    assert (ratio.abs() - 1).abs().max() < 1e-9
    assert ratio[:, 0].angle().std() > 1.0  # the phases differ from scene to scene (uniform: 1.81)


def test_constant_modulus_and_qpsk_have_unit_envelope():
    for kind in ("qpsk", "constant-modulus"):
        assert (drawn(kind).abs() - 1).abs().max() < 1e-14
    assert (drawn("qpsk") ** 4 + 1).abs().max() < 1e-13  # the four points exp(j (pi / 4 + k pi / 2))


def test_unknown_waveform_is_refused():
    with pytest.raises(SpecificationError, match=r"waveform must be one of gaussian, qpsk.*, found 'morse'"):
        draw_waveforms("morse", 1, 1, 1)
