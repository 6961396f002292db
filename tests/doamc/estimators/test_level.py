"""A receiver's scale is arbitrary: every method gives the same at every level; what no method can use is refused."""

import math

import numpy as np
import pytest
import torch

from doamc.errors import EstimatorError, SnapshotError
from doamc.estimators import METHODS, estimator_class, make_estimator
from doamc.estimators.engine import estimate_batch
from doamc.estimators.level import at_ordinary_level, level_gain, scaled_batch
from doamc.scenes import receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.estimators.cases import ONE_SAMPLE
from tests.doamc.helpers.scenes import angle_error, observed, uncoupled_spec

ARRAY = {"bcs": "uca5"}  # ula8 for the others
#: a prior over absolute powers knows the scale of the scene until it is plainly another; posteriors start from there
FIRST = {"posterior": 1e-3, "ddim": 1e-3}
#: of several samples of one network each is at the level of the first
OPTIONS = {"ddim-snapshot": dict(ONE_SAMPLE)}


def made(name):
    array = ARRAY.get(name, "ula8")
    return make_estimator(name, uncoupled_spec(array) if name == "bcs" else load_spec(array), **OPTIONS.get(name, {}))


@pytest.mark.parametrize("name", METHODS)
def test_every_method_gives_the_same_at_every_level(name):
    """Amplitudes from 1e-130 to 1e+130: directions and coupling stay, powers follow; only rounding errors differ."""
    first = FIRST.get(name, 1.0)
    _, batch = observed(made(name).spec, 2, 2, 64, 15.0)
    plain = made(name)(make_batch(first * batch.snapshots), 2)
    for gain in (1e-130, 1e-8, 1e-4, 1e8, 1e130):
        other = made(name)(make_batch(gain * batch.snapshots), 2)
        assert angle_error(other.azimuth, plain.azimuth).abs().max() < 1e-6, gain
        torch.testing.assert_close(other.coupling, plain.coupling, rtol=0, atol=1e-6)
        for field in ("power", "noise_power"):
            same = getattr(other, field) / gain * first / gain * first  # in steps: gain squared may not be a float
            torch.testing.assert_close(same, getattr(plain, field), rtol=1e-5, atol=0)


def test_ordinary_levels_are_left_alone_and_others_moved_by_powers_of_two():
    _, batch = observed(load_spec("ula8"), 5, 2, 20, 10.0)
    for gain in (1e-2, 1.0, 1e2):
        assert level_gain(make_batch(gain * batch.snapshots)) is None
    gains = torch.tensor([1.0, 1e-9, 1e9, 1e-100, 1e100], dtype=torch.float64)
    mixed = scaled_batch(batch, gains)
    factor = level_gain(mixed)
    assert factor[0] == 1.0 and (torch.frexp(factor)[0] == 0.5).all()
    moved = scaled_batch(mixed, factor)
    power_db = 10 * moved.covariance.diagonal(dim1=1, dim2=2).real.mean(1).log10()
    assert power_db.abs().max() < 10 * math.log10(2) * 21.5
    assert torch.equal(moved.snapshots / factor[:, None, None], mixed.snapshots)  # not a digit is lost


def test_a_known_noise_power_goes_with_the_level():
    scene, batch = observed(load_spec("ula8"), 2, 2, 30, 10.0)
    plain = made("ml")(make_batch(batch.snapshots, noise_power=scene.noise_power), 2)
    quiet = made("ml")(make_batch(1e-9 * batch.snapshots, noise_power=1e-18 * scene.noise_power), 2)
    torch.testing.assert_close(quiet.azimuth, plain.azimuth, rtol=0, atol=1e-9)
    torch.testing.assert_close(quiet.noise_power, 1e-18 * scene.noise_power, rtol=1e-12, atol=0)


def test_the_clean_snapshots_are_at_the_level_of_the_batch():
    _, batch = observed(load_spec("ula8"), 1, 2, 30, 20.0)
    clean = made("ddim-snapshot")(make_batch(1e-9 * batch.snapshots), 2).clean
    assert (clean - 1e-9 * batch.snapshots).abs().square().mean() < 0.1 * (1e-9 * batch.snapshots).abs().square().mean()


def test_the_number_of_sources_does_not_depend_on_the_level():
    _, batch = observed(load_spec("ula8"), 8, 2, 64, 15.0)
    plain, quiet = (estimate_batch(made("ml"), make_batch(g * batch.snapshots), None) for g in (1.0, 1e-9))
    assert torch.equal(plain.n_sources, quiet.n_sources) and plain.n_sources.tolist().count(2) > 4


def poisoned(y: torch.Tensor) -> dict[str, torch.Tensor]:
    """Observations (1, N, L) that no array receives."""
    sample, channel, snapshot, impulse = y.clone(), y.clone(), y.clone(), torch.zeros_like(y)
    sample[0, 1, 2] = 1e20
    channel[0, 1] *= 1e60
    snapshot[0, :, 2] *= 1e30
    impulse[0, :, 0] = 1.0
    return {
        "one sample": sample, "one channel": channel, "one snapshot": snapshot, "one impulse": impulse,
        "constant": torch.ones_like(y), "all alike": y[:, :1].expand_as(y).contiguous(),
        "identity": torch.eye(*y.shape[1:], dtype=y.dtype)[None],
    }  # fmt: skip


def counts(name):
    """Whether None as number of sources tells more of a method than 2: it counts by itself, or is quick."""
    return hasattr(estimator_class(name), "counted") or name in ("music", "ml")


@pytest.mark.parametrize(
    ("n_sources", "name"),
    [(2, n) for n in METHODS] + [pytest.param(None, n, marks=() if counts(n) else pytest.mark.slow) for n in METHODS],
)
def test_poisoned_batches_end_in_figures_or_in_an_error_of_ours(name, n_sources):
    estimator = made(name)
    _, batch = observed(estimator.spec, 1, 2, 64, 15.0)
    for what, y in poisoned(batch.snapshots).items():
        try:
            found = estimate_batch(estimator, make_batch(y), n_sources)
        except (EstimatorError, SnapshotError) as error:
            assert "\n" not in str(error) and len(str(error)) < 200, what
        else:
            p = int(found.n_sources[0])
            assert torch.isfinite(found.azimuth[:, :p]).all() and torch.isfinite(found.noise_power).all(), what
    for y, message in ((math.nan * batch.snapshots, "NaN"), (0 * batch.snapshots, "all samples are zero")):
        with pytest.raises(SnapshotError, match=message):
            make_batch(y)


def test_why_a_covariance_cannot_be_factorised():
    """A constant is named as what it is: few snapshots of one are too few to tell a wave from an offset."""

    def fails(batch):
        raise np.linalg.LinAlgError

    _, batch = observed(load_spec("ula8"), 2, 2, 8, 15.0)
    with pytest.raises(EstimatorError, match="look for one sample or channel far above"):
        at_ordinary_level(fails, batch)
    y = batch.snapshots.clone()
    y[1] = y[1, :, :1]
    with pytest.raises(EstimatorError, match="a batch is constant: the offset of the receiver's converters, or"):
        at_ordinary_level(fails, make_batch(y))


def test_a_clean_rank_one_batch_is_not_told_from_noise_by_rounding():
    """Receive one source without noise at 1e-9: the noise power is the least that is told, 1e-12 of the level."""
    scene, _ = observed(load_spec("ula8"), 3, 1, 20, 20.0)
    clean = receive(scene, 20, generator=torch.Generator().manual_seed(2)).clean
    for gain in (1.0, 1e-9):
        batch = make_batch(gain * clean)
        level = batch.covariance.diagonal(dim1=1, dim2=2).real.mean(1)
        torch.testing.assert_close(made("music")(batch, 1).noise_power, 1e-12 * level, rtol=1e-9, atol=0)
