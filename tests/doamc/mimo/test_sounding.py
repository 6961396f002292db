"""Eqs. (1)-(3): ray model, Psi^s in Khatri-Rao form, R_y."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.arrays import steering
from doamc.errors import SnapshotError
from doamc.mimo.channel import draw_rays
from doamc.mimo.sounding import Sounding, phase_shifters, sample_covariance, sound
from tests.doamc.mimo.links import direct_psi, drawn, small_link


@settings(max_examples=25)
@given(
    st.integers(0, 10**6), st.integers(1, 3), st.sampled_from([0, 1, None]), st.sampled_from([0, 2, None]),
    st.booleans(),
)  # fmt: skip
def test_psi_is_that_of_the_kronecker_form(seed, paths, orders_rx, orders_tx, shared):
    link = small_link(orders_rx, orders_tx)
    rays, sounding = drawn(link, seed, 1, paths, 2, 5, shared)
    psi = sounding.psi(*link.responses(rays))
    assert psi.shape == (1, 1 if shared else 2, 5, paths)
    for s in range(psi.shape[1]):
        direct = direct_psi(link, rays, sounding, 0, s)
        assert (psi[0, s] - direct).abs().max() < 1e-10


def test_the_channel_is_the_sum_of_rays():
    link = small_link(1, None)
    rays, _ = drawn(link, 3, 1, 3, 2)
    h = link.channel(rays)
    c_r = link.rx.matrices(rays.azimuth_rx, rays.theta_rx)[0]
    c_t = link.tx.matrices(rays.azimuth_tx, rays.theta_tx)[0]
    a_r, a_t = (steering(e.spec.positions, az)[0] for e, az in (
        (link.rx, rays.azimuth_rx), (link.tx, rays.azimuth_tx)))  # fmt: skip
    for s in range(2):
        ray = [rays.gains[0, s, p] * c_r[p] @ torch.outer(a_r[:, p], a_t[:, p].conj()) @ c_t[p].mH for p in range(3)]
        assert torch.allclose(h[0, s], sum(ray), atol=1e-12)


@pytest.mark.parametrize("shared", [True, False])
def test_a_symbol_is_what_the_beams_make_of_the_channel(shared):
    link = small_link(0, 1)
    rays, sounding = drawn(link, 4, 2, 2, 3, 7, shared)
    y = sound(link, rays, sounding, 0.0)
    h = link.channel(rays)
    for s in range(3):
        k = 0 if shared else s
        for t in range(7):
            w, f = sounding.combiners[k, t], sounding.beamformers[k, t]
            assert torch.allclose(y[:, s, t], torch.einsum("i,bij,j->b", w.conj(), h[:, s], f), atol=1e-12)


def test_nothing_as_large_as_the_kronecker_product_is_formed():
    """With 300 elements at both ends one row of beams would hold 90 000 numbers and C kron C 8 10^9."""
    u, v = (torch.randn(300, 2, dtype=torch.complex128) for _ in range(2))
    sounding = Sounding(*(torch.randn(1, 50, 300, dtype=torch.complex128) for _ in range(2)))
    with torch.autograd.profiler.profile(profile_memory=True) as profile:
        sounding.psi(u, v)
    assert max(event.cpu_memory_usage for event in profile.function_events) < 300 * 300 * 16


def test_the_sample_covariance_tends_to_the_model():
    """20 000 subcarriers: an entry errs by sqrt(R_tt R_uu / S), so 5 sigma is 5 / sqrt(S) = 3.5 % of the diagonal."""
    link = small_link()
    generator = torch.Generator().manual_seed(5)
    rays = draw_rays(link, 1, 2, 20_000, generator=generator)
    sounding = phase_shifters(link, 8, generator=generator)
    received = sound(link, rays, sounding, 0.1, generator)
    power = rays.gains.abs().square().mean(1)
    psi = sounding.psi(*link.responses(rays))[:, 0]
    expected = (psi * power[:, None]) @ psi.mH + 0.1 * torch.eye(8)
    found = sample_covariance(received)
    size = expected.diagonal(dim1=1, dim2=2).real.sqrt()
    assert ((found - expected).abs() / size[:, :, None] / size[:, None]).max() < 5 / 20_000**0.5
    assert torch.allclose(found, found.mH)


def test_noise_has_the_power_asked_for_and_is_circular():
    link = small_link()
    rays, sounding = drawn(link, 6, 1, 1, 4000, 10)
    noise = sound(link, rays, sounding, 0.3, torch.Generator().manual_seed(1)) - sound(link, rays, sounding, 0.0)
    assert noise.abs().square().mean() == pytest.approx(0.3, rel=0.02)  # 40 000 exponentials: 0.5 % a sigma
    assert noise.square().mean().abs() < 0.3 * 0.02


def test_phase_shifters_have_unit_norm_and_equal_moduli():
    link = small_link()
    s = phase_shifters(link, 9, 2, torch.Generator().manual_seed(1))
    assert s.combiners.shape == (2, 9, 6) and s.beamformers.shape == (2, 9, 7)
    assert torch.allclose(s.combiners.abs(), torch.full((2, 9, 6), 6**-0.5, dtype=torch.float64))
    assert torch.allclose(s.beamformers.norm(dim=2), torch.ones(2, 9, dtype=torch.float64))


def test_wrong_shapes_and_samples_are_refused():
    w, f = torch.zeros(1, 4, 6, dtype=torch.complex128), torch.zeros(1, 5, 6, dtype=torch.complex128)
    with pytest.raises(SnapshotError, match=r"combiners \(S, T, N_R\)"):
        Sounding(w, f)
    sounding = Sounding(w, w)
    with pytest.raises(SnapshotError, match=r"\(B, S, 4\)"):
        sounding.check(torch.zeros(1, 3, 5, dtype=torch.complex128))
    with pytest.raises(SnapshotError, match="NaN"):
        sounding.check(torch.full((1, 3, 4), complex("nan")))
