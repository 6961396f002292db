"""Deviations of images: that no unit matters to them, and what widens them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from doamc.errors import CheckpointError
from doamc.imaging.visibilities import make_visibilities
from doamc.learning.checkpoint import shipped_weights
from doamc.skies.deviations import KIND, Deviations
from doamc.skies.evidence import FEATURES, Evidence, missing_power
from tests.doamc.imaging.skies import observe

N, NOISE = 64, 0.01


@pytest.fixture(scope="module")
def told() -> Deviations:
    return Deviations.open()


def evidence(scale: float = 1.0) -> Evidence:
    """A Gaussian source that all agree on, to a tenth of the noise in empty pixels and half of it in bright ones."""
    at = torch.arange(N) - N / 2
    sky = torch.exp(-0.5 * (at**2 + at[:, None] ** 2) / 3.0**2)[None]
    error = NOISE * (0.1 + 0.4 * (sky > NOISE).float())
    return Evidence(
        image=scale * sky, deviation=scale * error, start=scale * (sky + error), pull=scale * error,
        residual=torch.ones_like(sky), level=torch.full((1,), scale * NOISE),
        missing=scale * torch.tensor([[NOISE, 2 * NOISE]]), noise=scale * NOISE, measured=0.4, sweeps=20,
    )  # fmt: skip


def test_deviations_scale_with_the_flux(told):
    assert evidence().features().shape == (1, N, N, len(FEATURES))
    one, other = told.of(evidence()), told.of(evidence(1000.0))
    assert torch.allclose(1000 * one, other, rtol=1e-3) and bool((one > 0).all())


def test_bright_pixels_are_told_worse_than_empty_ones(told):
    found = told.of(evidence())[0]
    assert float(found[32, 32]) > 3 * float(found[2, 2])


@pytest.mark.parametrize("worse", ["deviation", "residual", "start"])
def test_disagreement_widens(told, worse):
    """Five times as much of each, everywhere: the mean of the logarithms rises."""
    known = evidence()
    if worse == "start":
        more = known.image + 5 * (known.start - known.image)
    else:
        more = 5 * getattr(known, worse)
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
