"""Losses: the exact denoiser's value is known in closed form, and nothing beats it."""

import pytest
import torch

from doamc.diffusion.ddpm_index import alpha_bar
from doamc.diffusion.losses import (
    KernelDensity,
    ddpm_loss,
    denoising_score_loss,
    explicit_score_loss,
    score_matching_loss,
    variational_loss,
)
from doamc.diffusion.parametrisation import KINDS, from_x0
from doamc.diffusion.schedules import make_schedule

V = 0.7  # power of x_0 per component
DTYPES = [torch.complex128, torch.float64]


def draw(count, dtype, seed=0):
    return V**0.5 * torch.randn(count, 2, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def exact(kind, factor=1.0):
    """E[x_0 | x_t] for x_0 ~ N(0, V), as a VP head of any kind; factor spoils it."""

    def net(x_t, log_snr):
        alpha, sigma = (torch.sigmoid(s * log_snr).sqrt()[:, None] for s in (1, -1))
        return from_x0(kind, factor * alpha * V / (alpha**2 * V + sigma**2) * x_t, x_t, alpha, sigma)

    return net


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("schedule", ["vp", "cosine"])
def test_algorithm_one_at_its_minimum(dtype, schedule):
    """E|eps - E[eps | x_t]|^2 = a^2 V / (a^2 V + s^2), averaged over t."""
    kept = make_schedule(schedule)
    loss = ddpm_loss(exact("eps"), draw(20000, dtype), kept, generator=torch.Generator().manual_seed(1))
    t = torch.linspace(1e-3, 0.999, 4001, dtype=torch.float64)
    a, s = kept(t)
    assert float(loss) == pytest.approx(float((a**2 * V / (a**2 * V + s**2)).mean()), rel=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_the_exact_head_of_every_kind_beats_a_spoilt_one(kind):
    x_0, schedule = draw(4000, torch.complex128), make_schedule("cosine")
    losses = [
        float(ddpm_loss(exact(kind, f), x_0, schedule, kind, torch.Generator().manual_seed(2), t_min=0.05))
        for f in (0.9, 1.0, 1.1)
    ]
    assert losses[1] < min(losses[0], losses[2])


@pytest.mark.parametrize("dtype", DTYPES)
def test_weighted_bound_at_its_minimum(dtype):
    """sum_i (SNR_{i-1} - SNR_i) V s^2 / (a^2 V + s^2), half of it for real data, whatever the head."""
    schedule, steps = make_schedule("vp"), 50
    kept = alpha_bar(schedule, steps)
    snr = kept / (1 - kept)
    wanted = ((snr[1:-1] - snr[2:]) * V / (1 + V * snr[2:])).sum() * (1.0 if dtype.is_complex else 0.5)
    for kind in ("eps", "v"):
        g = torch.Generator().manual_seed(3)
        found = variational_loss(exact(kind), draw(40000, dtype), schedule, steps, kind, g)
        assert float(found) == pytest.approx(float(wanted), rel=0.05)


def test_bound_is_the_divergence_between_reverse_steps():
    """One term by hand: |mu_q - mu_theta|^2 / sigma_q^2 of eqs. (50)-(52) for a given error of x_0."""
    kept = alpha_bar(make_schedule("vp"), 20)
    i = 12
    a = kept[i] / kept[i - 1]
    spread = (1 - kept[i - 1]) / (1 - kept[i]) * (1 - a)
    by_means = ((1 - a) * kept[i - 1].sqrt() / (1 - kept[i])) ** 2 / spread
    assert float(by_means) == pytest.approx(float(kept[i - 1] / (1 - kept[i - 1]) - kept[i] / (1 - kept[i])), rel=1e-9)


def test_score_matching_over_levels_is_algorithm_one():
    x_0, schedule = draw(1000, torch.complex128), make_schedule("vp")
    seeds = [torch.Generator().manual_seed(4) for _ in range(2)]
    one = ddpm_loss(exact("eps", 0.8), x_0, schedule, "eps", seeds[0])
    other = score_matching_loss(exact("score", 0.8), x_0, schedule, seeds[1])
    assert float(one) == pytest.approx(float(other), rel=1e-9)


def test_score_matching_on_a_ve_schedule_has_its_minimum_at_the_score():
    """-x / (V + s^2), where the loss is V / (V + s^2) averaged over t."""
    schedule = make_schedule("ve", sigma_min=0.1, sigma_max=10.0)

    def score(x, log_snr, factor=1.0):
        return -factor * x / (V + torch.exp(-log_snr)[:, None])

    losses = [
        float(
            score_matching_loss(
                lambda x, at, f=f: score(x, at, f),
                draw(20000, torch.complex128),
                schedule,
                torch.Generator().manual_seed(5),
            )
        )
        for f in (0.9, 1.0, 1.1)
    ]
    t = torch.linspace(1e-3, 1, 2001, dtype=torch.float64)
    assert losses[1] == pytest.approx(float((V / (V + schedule.sigma(t) ** 2)).mean()), rel=0.03)
    assert losses[1] < min(losses[0], losses[2])


@pytest.mark.parametrize("dtype", DTYPES)
def test_denoising_and_explicit_score_matching_differ_by_a_constant(dtype):
    """Equation (87), with the kernel density for the law of x: the difference is the same for any score."""
    data, h, count = draw(8, dtype, 6), 0.8, 60000
    density = KernelDensity(data, h)
    differences = []
    for slope in (0.3, 1.5):
        many = data.repeat(count // 8, 1)
        dsm = denoising_score_loss(lambda x, c=slope: -c * x, many, h, torch.Generator().manual_seed(7))
        esm = explicit_score_loss(lambda x, c=slope: -c * x, density, count, torch.Generator().manual_seed(8))
        differences.append(float(dsm - esm))
    assert differences[0] == pytest.approx(differences[1], abs=0.03)
    assert differences[0] > 0.1  # DSM keeps the spread of the target, ESM does not


def test_kernel_density_score_is_its_gradient():
    data = draw(5, torch.float64, 9)
    density = KernelDensity(data, 0.5)
    x = draw(3, torch.float64, 10).requires_grad_()
    log_q = torch.logsumexp(-0.5 * (x[:, None] - data).square().sum(2) / 0.25, 1)
    (gradient,) = torch.autograd.grad(log_q.sum(), x)
    assert torch.allclose(density.score(x.detach()), gradient, atol=1e-12)
