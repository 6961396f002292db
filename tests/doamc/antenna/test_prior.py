import numpy as np
import pytest

from doamc.antenna.draws import Drawn, azimuth_grid, extended_steering
from doamc.antenna.prior import by_builder, fit_prior, hide_own_scale
from doamc.antenna.prior_file import read_record, write_prior
from doamc.coupling.drawn_file import load_drawn_family
from doamc.errors import SpecificationError

RNG = np.random.default_rng(0)
POSITIONS = np.array([[0.0, 0.0], [0.0, 0.45], [0.3, 0.2]])
N, WIDE = 3, 9
CIRCLE = (0.0, 360.0)


def normal(*shape):
    return RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)


def made(count, patterns, spread=0.02, rough_share=0.3, factor=4.0):
    """Draws of a known low-rank prior; rough ones deviate `factor` times as far."""
    centre = np.concatenate([np.eye(N) + 0.1 * normal(N, N), 0.05 * normal(N, WIDE - N)], 1)
    basis = spread * normal(patterns, N, WIDE)
    out = []
    for _ in range(count):
        rough = bool(RNG.random() < rough_share)
        z = RNG.standard_normal(patterns) * (factor if rough else 1.0)
        e = centre + np.tensordot(z, basis, 1)
        out.append([Drawn(e * np.exp(1j), e[:, :N] * np.exp(1j), np.zeros((N, 1)), rough)])
    return out


@pytest.fixture(scope="module")
def fitted():
    drawn = made(600, 4)
    return drawn, fit_prior(drawn, [POSITIONS], CIRCLE, target_db=-60.0)


def test_as_many_components_as_there_are(fitted):
    _, prior = fitted
    # scaling to mean diagonal 1 is not linear, so that second-order remainders may ask for a few more
    assert 4 <= prior.patterns.shape[1] <= 8 and prior.residual_db <= -60.0
    few = fit_prior(made(600, 4), [POSITIONS], CIRCLE, target_db=-30.0)
    assert few.patterns.shape[1] <= 4


def test_coupling_has_mean_diagonal_one_whatever_the_parameters(fitted):
    _, prior = fitted
    assert np.trace(prior.mean[0] @ prior.projection[0]) / N == pytest.approx(1)
    assert np.abs(np.trace(prior.patterns[0] @ prior.projection[0], axis1=1, axis2=2)).max() < 1e-12


def test_members_reproduce_the_draws(fitted):
    drawn, prior = fitted
    mean, patterns, projection = prior.mean[0], prior.patterns[0], prior.projection[0]
    a = extended_steering(POSITIONS, azimuth_grid(POSITIONS), WIDE // N)
    basis = hide_own_scale(patterns @ a, mean @ a).reshape(len(patterns), -1)
    for (d,) in drawn[:20]:
        e = d.extended / (np.trace(d.extended @ projection) / N)
        v = hide_own_scale(((e - mean) @ a)[None], mean @ a).ravel()
        real = np.concatenate([basis.real, basis.imag], 1)
        z = np.linalg.lstsq(real.T, np.concatenate([v.real, v.imag]), rcond=None)[0]
        assert np.linalg.norm(z @ real - np.concatenate([v.real, v.imag])) < 0.01 * np.linalg.norm(mean @ a)
        assert np.linalg.norm(z) < 5 * np.sqrt(len(z))


def test_a_sources_own_phase_and_power_are_no_deviation():
    centre = normal(N, 7)
    assert np.abs(hide_own_scale(centre[None] * normal(1, 1, 7), centre)).max() < 1e-14


def test_builders_become_two_normal_distributions():
    turn = np.linalg.qr(RNG.standard_normal((3, 3)))[0]
    rough = np.arange(30000) % 4 == 0
    # variances that average to one: 3/4 s^2 + 1/4 r^2 = 1
    careful = np.array([0.9, 0.6, 0.3])
    wild = np.sqrt((1 - 0.75 * careful**2) * 4)
    z = RNG.standard_normal((30000, 3)) * np.where(rough[:, None], wild, careful) @ turn
    scores, weights, scales = by_builder(z, rough)
    assert weights.tolist() == [0.75, 0.25]
    np.testing.assert_allclose(scales, [careful, wild], rtol=0.03)
    for kind in (rough, ~rough):
        off = np.corrcoef(scores[kind].T) - np.eye(3)
        assert np.abs(off).max() < 0.03


def test_one_kind_of_builder_is_standard_normal():
    z = RNG.standard_normal((100, 3))
    scores, weights, scales = by_builder(z, np.zeros(100, bool))
    assert scores is z and weights.tolist() == [1.0] and scales.tolist() == [[1.0, 1.0, 1.0]]


def test_too_few_draws_are_refused():
    with pytest.raises(SpecificationError, match="take more draws"):
        fit_prior(made(40, 10), [POSITIONS], CIRCLE, target_db=-60.0)


def test_prior_files_are_read_as_they_were_written(tmp_path, fitted):
    _, prior = fitted
    paths = [tmp_path / f"{k}.prior.safetensors" for k in "ab"]
    for path in paths:
        write_prior(path, prior, np.ones(1), {"seed": 3, "array": "made"})
    assert paths[0].read_bytes() == paths[1].read_bytes()  # a checkpoint carries their fingerprint
    family = load_drawn_family(paths[0])
    np.testing.assert_array_equal(family.mean.numpy(), prior.mean[0])
    np.testing.assert_array_equal(family.patterns.numpy(), prior.patterns[0])
    np.testing.assert_array_equal(family.projection.numpy(), prior.projection[0])
    assert read_record(paths[0]) == {"seed": 3, "array": "made"}


def test_other_files_are_no_priors(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"no")
    with pytest.raises(SpecificationError, match="expected a prior file"):
        read_record(path)
