"""Deviations of images: that no unit matters to them, and what widens them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from doamc.errors import CheckpointError
from doamc.imaging.visibilities import make_visibilities
from doamc.learning.checkpoint import shipped_weights
from doamc.skies.deviations import KIND, Deviations
from doamc.skies.evidence import Evidence, missing_power
from doamc.skies.features import PIXEL, SKY, pixel_features, sky_features
from doamc.skies.surprise import LEVELS, RINGS
from tests.doamc.imaging.skies import observe

N, NOISE = 64, 0.01


@pytest.fixture(scope="module")
def told() -> Deviations:
    return Deviations.open()


def evidence(scale: float = 1.0, n: int = N) -> Evidence:
    """A Gaussian source that all agree on, to a tenth of the noise in empty pixels and half of it in the brightest."""
    at = (torch.arange(n) - n / 2) * N / n
    sky = torch.exp(-0.5 * (at**2 + at[:, None] ** 2) / 3.0**2)[None]
    k = torch.fft.fftfreq(n, 1 / n)
    error = NOISE * (0.1 + 0.4 * sky)
    return Evidence(
        image=scale * sky, deviation=scale * error, start=scale * (sky + error),
        first=scale * (sky + error), pull=scale * error, residual=torch.ones_like(sky),
        level=torch.full((1,), scale * NOISE), missing=scale * torch.tensor([[NOISE, 2 * NOISE]]),
        surprise=torch.zeros(1, LEVELS, RINGS), noise=scale * NOISE, mask=torch.hypot(k[:, None], k) < 0.36 * n,
        sweeps=20,
    )  # fmt: skip


def test_deviations_scale_with_the_flux(told):
    assert pixel_features(evidence()).shape == (1, N, N, len(PIXEL)) and sky_features(evidence()).shape == (1, len(SKY))
    one, other = told.of(evidence()), told.of(evidence(1000.0))
    assert torch.allclose(1000 * one, other, rtol=1e-3) and bool((one > 0).all())


def test_bright_pixels_are_told_worse_than_empty_ones(told):
    found = told.of(evidence())[0]
    assert float(found[32, 32]) > 3 * float(found[2, 2])


def test_a_finer_grid_of_the_same_sky_has_the_same_features():
    """256 x 256 in place of 64 x 64: to a tenth, 10 % of what is in a unit of the noise."""
    few, many = evidence(), evidence(n=4 * N)
    assert torch.allclose(sky_features(few), sky_features(many), atol=0.1)
    near = pixel_features(many)[:, ::4, ::4]
    assert float((pixel_features(few) - near).abs().mean()) < 0.1


@pytest.mark.parametrize("worse", ["residual", "pull", "surprise"])
def test_disagreement_widens(told, worse):
    """Five times as much of each, everywhere, or ten times the power that the prior expects: the mean of the logarithms
    rises, by a tenth at least."""
    known = evidence()
    more = known.surprise + np.log(10) if worse == "surprise" else 5 * getattr(known, worse)
    wide = told.of(replace(known, **{worse: more})).log().mean()
    assert float(wide) > float(told.of(known).log().mean()) + 0.1


def test_what_is_beyond_the_skies_of_training_is_taken_for_the_nearest(told):
    odd = replace(evidence(), residual=torch.full((1, N, N), 1e9), deviation=torch.zeros(1, N, N))
    assert bool(told.of(odd).isfinite().all())


def test_power_that_is_missing_is_that_of_the_cells_that_are_not_measured():
    """Of white skies of known power, whose spectrum is flat: sqrt of the share that is missing, to a tenth."""
    rng = np.random.default_rng(0)
    skies, mask = rng.standard_normal((2, N, N)), np.ones((N, N), bool)
    mask[20:45] = False
    mask = mask & np.roll(mask[::-1, ::-1], (1, 1), (0, 1))
    seen = make_visibilities(observe(skies, mask, 0.01, rng), mask, 0.01)
    low, every = missing_power(seen).T
    assert every == pytest.approx(np.sqrt(1 - mask.mean()), rel=0.1) and (low == 0).all()


def test_other_files_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="found others"):
        Deviations.open(shipped_weights("sky"))
    (tmp_path / "w.safetensors").write_bytes(b"none")
    with pytest.raises(CheckpointError, match="cannot read them"):
        Deviations.open(tmp_path / "w.safetensors")
    assert shipped_weights(KIND).stat().st_size < 8192
