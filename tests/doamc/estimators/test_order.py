import math

import numpy as np
import pytest
import torch

from doamc.errors import EstimatorError
from doamc.estimators.order import _weight, source_number
from doamc.scenes import receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import observed


def rate(n_sources, n_snapshots, snr_db, criterion="mdl", name="ula8", waveform="gaussian"):
    """Share of 300 coupled scenes whose number of sources is found."""
    spec = load_spec(name)
    if n_sources:
        covariance = observed(spec, 300, n_sources, n_snapshots, snr_db, waveform=waveform)[1].covariance
    else:
        shape = (300, spec.n_elements, n_snapshots)
        noise = torch.randn(shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(1))
        covariance = make_batch(noise).covariance
    return float((source_number(covariance, n_snapshots, criterion) == n_sources).double().mean())


@pytest.mark.parametrize("n_sources", [0, 1, 2, 3])
def test_mdl_finds_the_number_with_coupling_and_many_snapshots(n_sources):
    assert rate(n_sources, 200, 10.0) > 0.98


@pytest.mark.parametrize("n_sources", [0, 1, 2])
@pytest.mark.parametrize("n_snapshots", [5, 7, 8, 9, 12])
def test_about_as_many_snapshots_as_elements_are_enough_at_high_snr(n_sources, n_snapshots):
    """Plain Wax-Kailath is right in 0.26 of these scenes at L = N = 8, P = 2, 10 dB; the corrected weight is not so."""
    assert rate(n_sources, n_snapshots, 20.0) > 0.85


def test_aic_finds_weaker_sources_and_mdl_invents_fewer():
    assert rate(2, 50, -3.0, "aic") > rate(2, 50, -3.0, "mdl") + 0.02
    assert rate(0, 200, 0.0, "mdl") > rate(0, 200, 0.0, "aic") + 0.02


def test_one_snapshot_says_nothing_and_the_range_is_kept():
    _, batch = observed(load_spec("ula8"), 50, 2, 1, 40.0)
    found = source_number(batch.covariance, 1)
    assert found.dtype == torch.int64 and found.tolist() == [0] * 50
    _, batch = observed(load_spec("ula8"), 50, 4, 3, 40.0)
    assert source_number(batch.covariance, 3).max() <= 2


def test_coherent_paths_count_as_one():
    assert rate(2, 200, 10.0, waveform="coherent") == 0.0
    assert rate(1, 200, 10.0, waveform="coherent") > 0.98


def test_clean_data_have_as_many_sources_as_their_rank():
    scene, _ = observed(load_spec("ula8"), 20, 3, 50, 10.0)
    clean = receive(scene, 50, generator=torch.Generator().manual_seed(1)).clean
    assert source_number(make_batch(clean).covariance, 50).tolist() == [3] * 20


@pytest.mark.parametrize("criterion", ["mdl", "aic"])
def test_many_snapshots_give_the_paper_to_the_letter(criterion):
    """Wax and Kailath (1985), eqs. 16 and 17, by loops. The correction is N / L and has gone at L = 20 000."""
    n_snapshots = 20_000
    _, batch = observed(load_spec("ula8"), 20, 3, n_snapshots, -15.0)
    for r in batch.covariance:
        values = np.sort(np.linalg.eigvalsh(r.numpy()))[::-1]
        cost = []
        for k in range(8):
            tail = values[k:]
            ratio = np.exp(np.mean(np.log(tail))) / np.mean(tail)
            fit = -(8 - k) * n_snapshots * np.log(ratio)
            free = k * (16 - k)
            cost.append(fit + 0.5 * free * np.log(n_snapshots) if criterion == "mdl" else 2 * fit + 2 * free)
        assert int(source_number(r[None], n_snapshots, criterion)) == int(np.argmin(cost))


@pytest.mark.parametrize(("q", "r"), [(2, 2), (5, 5), (8, 9), (4, 40)])
def test_weight_gives_the_log_ratio_its_large_sample_mean(q, r):
    """Mean of w T over white-noise covariances is (q^2 - 1) / 2, by Monte Carlo."""
    noise = torch.randn(20_000, q, r, dtype=torch.complex128, generator=torch.Generator().manual_seed(2))
    values = torch.linalg.eigvalsh(noise @ noise.mH)
    t = q * values.mean(1).log() - values.log().sum(1)
    expected = (q * q - 1) / 2
    standard_error = _weight(q, r) * float(t.std()) / math.sqrt(20_000)
    assert _weight(q, r) * float(t.mean()) == pytest.approx(expected, abs=4 * standard_error)


def test_wrong_arguments_are_refused():
    eye = torch.eye(4, dtype=torch.complex128)[None]
    with pytest.raises(EstimatorError, match="criterion must be mdl or aic, found 'bic'"):
        source_number(eye, 10, "bic")
    with pytest.raises(EstimatorError, match="expected L >= 1 snapshots, found 0"):
        source_number(eye, 0)
