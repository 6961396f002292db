"""What methods report, held against their batches."""

from dataclasses import replace

import pytest
import torch

from doamc.estimators import make_estimator
from doamc.estimators.engine import estimate_batch
from doamc.estimators.reported_fit import with_fit
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from doamc.trials.mismatch import ROWS, draw_trial


def batch_of(name, count, seed=0):
    trial = ROWS[name].make(count, torch.Generator().manual_seed(seed)) if isinstance(name, str) else name
    return make_batch(trial.snapshots)


def trial(count, **how):
    return draw_trial(count, torch.Generator().manual_seed(1), **how)


@pytest.mark.parametrize("method", ["ml", "map", "sbl"])
def test_a_fitted_model_has_the_misfit_that_it_should(method):
    e = make_estimator(method, "ula8")(make_batch(trial(40).snapshots), 2)
    # four standard errors of forty
    assert float(e.misfit.mean()) == pytest.approx(0, abs=0.65) and float(e.misfit.std()) == pytest.approx(1, abs=0.45)
    assert not e.doubtful.any()


@pytest.mark.parametrize("method", ["music", "esprit", "root-music"])
def test_a_subspace_without_coupling_fits_an_array_without_and_no_other(method):
    free = trial(20)
    v = torch.linalg.solve(free.scene.coupling, free.scene.response)  # the steering vectors
    plain, coupled = make_batch(free.received_by(v).snapshots), make_batch(free.snapshots)
    estimator = make_estimator(method, "ula8")
    assert not estimator(plain, 2).doubtful.any()
    assert estimator(coupled, 2).doubtful.all()


def test_noise_alone_fits_no_source_where_it_is_white():
    spec = load_spec("ula8")
    estimator = make_estimator("ml", spec)
    e = estimate_batch(estimator, batch_of("noise-alone-ula8-200-0.3", 10), None)
    assert (e.n_sources == 0).all() and not e.doubtful.any()
    louder = batch_of("noise-alone-ula8-200-0.3", 10).snapshots.clone()
    louder[:, 2] *= 2
    one = make_batch(louder)
    e = estimate_batch(estimator, one, None)
    assert e.doubtful.all()


def test_a_missing_coupling_or_noise_power_gives_no_misfit():
    batch = make_batch(trial(2).snapshots)
    e = make_estimator("ml", "ula8")(batch, 2)
    blank = replace(e, coupling=torch.full_like(e.coupling, torch.nan), misfit=None, fit_cause=None)
    assert with_fit(load_spec("ula8"), batch, blank, True).misfit.isnan().all()


def test_level_and_the_rest_of_the_batch_do_not_matter():
    y = trial(3).snapshots
    estimator = make_estimator("ml", "ula8")
    whole, loud, last = estimator(make_batch(y), 2), estimator(make_batch(1e60 * y), 2), estimator(make_batch(y[2:]), 2)
    assert torch.allclose(loud.misfit, whole.misfit, atol=1e-3)
    assert torch.allclose(last.misfit, whole.misfit[2:], atol=1e-6)


def test_what_is_remembered_of_the_coupling_is_part_of_the_model():
    """One array, many batches: once its coupling is known, its batches fit, and those of another array do not."""
    here = trial(1)
    generator = torch.Generator().manual_seed(9)
    batches = []
    for _ in range(25):
        one = draw_trial(1, generator)
        response = torch.linalg.solve(one.scene.coupling, one.scene.response)
        batches.append(one.received_by(here.scene.coupling @ response).snapshots)
    method = make_estimator("self-calibrating", "ula8")
    e = method(make_batch(torch.cat(batches)), 2)
    assert float(e.doubtful[5:].double().mean()) <= 0.1
    assert method(make_batch(ROWS["swapped"].make(2, generator).snapshots), 2).doubtful.all()
