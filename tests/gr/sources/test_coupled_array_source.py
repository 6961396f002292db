import math

import numpy as np
import pytest
import torch
from gnuradio import blocks, gr
from gr_doamc import coupled_array_source

from doamc.errors import SpecificationError
from doamc.estimates import validate
from doamc.spec import load_spec
from tests.doamc.helpers.directional import directional_spec
from tests.gr.running import collector, run

PAIR = [{"azimuth_deg": -20.0}, {"azimuth_deg": 35.0, "power_db": -3.0, "waveform": "qpsk"}]


def receive(source, size, chunk=0):
    """Samples (N, size), and the truths posted on the way."""
    flowgraph = gr.top_block()
    n = source.output_signature().max_streams()
    heads = [blocks.head(8, size) for _ in range(n)]
    sinks = [blocks.vector_sink_c() for _ in range(n)]
    truths = collector()
    for k in range(n):
        flowgraph.connect((source, k), heads[k], sinks[k])
    flowgraph.msg_connect(source, "truth", truths, "in")
    if chunk:
        source.set_max_noutput_items(chunk)
    run(flowgraph)
    return np.array([s.data() for s in sinks]), truths.messages


def steering(azimuth_deg, n=8):
    return np.exp(1j * np.pi * np.outer(np.arange(n), np.sin(np.radians(azimuth_deg))))


def test_covariance_is_that_of_the_model():
    size, source = 60_000, coupled_array_source("ula8", PAIR, 10.0, 1e5, None, 5)
    y, truths = receive(source, size)
    coupling = np.array(truths[0]["coupling"]["re"]) + 1j * np.array(truths[0]["coupling"]["im"])
    response = coupling @ steering([-20.0, 35.0])
    model = response @ np.diag([1.0, 10**-0.3]) @ response.conj().T + 0.1 * np.eye(8)
    # for Gaussian snapshots E |R^ - R|_F^2 = tr(R)^2 / L, and less with a QPSK source; three times its root
    error = np.linalg.norm(y @ y.conj().T / size - model)
    assert error < 3 * np.trace(model).real / math.sqrt(size)
    # the coupling is from the prior: symmetric Toeplitz, two lags, in range
    lags = coupling[0, 1:]
    assert np.allclose(coupling, coupling.T) and np.allclose(np.diag(coupling), 1) and np.allclose(lags[2:], 0)
    assert 0.18 <= abs(lags[0]) <= 0.45 and 0.08 <= abs(lags[1]) <= 0.20


@pytest.mark.parametrize("chunk", [1, 100, 1000])
def test_samples_do_not_depend_on_the_scheduler(chunk):
    moving = [{"track": [(0, 0), (1, 40)], "waveform": "constant-modulus", "oversampling": 7}, {"azimuth_deg": 5}]
    size = 700 if chunk == 1 else 5000
    whole, _ = receive(coupled_array_source("ula4", moving, 10.0, 1e5, None, 5), 5000)
    parts, _ = receive(coupled_array_source("ula4", moving, 10.0, 1e5, None, 5), size, chunk)
    other, _ = receive(coupled_array_source("ula4", moving, 10.0, 1e5, None, 6), 700)
    assert np.array_equal(parts, whole[:, :size])
    assert not np.allclose(other, whole[:, :700])


def test_a_moving_emitter_is_where_its_track_says():
    rate, speed = 1e5, 100.0
    tone = {"track": [(0.0, 0.0), (0.5, 0.5 * speed)], "waveform": "tone"}
    source = coupled_array_source("ula4", [tone], 200.0, rate, np.eye(4))
    y, truths = receive(source, 30_000)
    # along a half-wave line neighbours differ in phase by pi sin(az); directions are renewed every 512 samples
    seen = np.degrees(np.arcsin(np.angle(y[1] * y[0].conj()) / np.pi))
    true = speed * np.arange(30_000) / rate
    assert np.abs(seen - true).max() <= speed * 256 / rate + 1e-3
    assert [t["sample_time"] for t in truths][:2] == [0.0, 0.2]
    assert truths[1]["azimuth_deg"] == pytest.approx([20.0]) and truths[1]["array"] == "ula4"


def test_truths_come_at_their_period():
    _, truths = receive(coupled_array_source("ula4", PAIR[:1], 0.0, 1e4, None, 0, truth_period=0.05), 10_000)
    times = [t["sample_time"] for t in truths if t["sample_time"] < 1.0]
    assert np.allclose(times, 0.05 * np.arange(20))
    validate(truths[0])
    assert truths[0]["schema"] == "doamc.truth/1" and truths[0]["noise_power"] == 1.0


def test_coupling_may_be_given_as_coefficients_or_as_a_matrix():
    source = coupled_array_source("ula4", PAIR[:1], coupling=[0.3 - 0.2j])
    expected = np.eye(4) + (0.3 - 0.2j) * (np.eye(4, k=1) + np.eye(4, k=-1))
    assert np.allclose(source.coupling, expected)
    assert np.allclose(coupled_array_source("ula4", PAIR[:1], coupling=2j * expected).coupling, expected)


def test_coupling_of_a_seed_stays():
    first, again, other = (coupled_array_source("uca5", PAIR[:1], seed=s).coupling for s in (4, 4, 5))
    assert np.array_equal(first, again) and not np.allclose(first, other)
    spec = load_spec("uca5")
    assert np.allclose(np.trace(first) / spec.n_elements, 1)


@pytest.mark.parametrize("array", ["kraken5", "dipole8"])
def test_an_array_drawn_from_antennas_receives_by_direction(array):
    """From its prior, or of real coefficients; a matrix is a matrix, and complex coefficients mean nothing there."""
    spec, azimuth = load_spec(array), torch.tensor([[-20.0, 35.0]], dtype=torch.float64).deg2rad()
    family = spec.family
    theta = family.draw((), torch.Generator().manual_seed(7))
    coefficients = np.linspace(-1, 1, family.n_parameters)
    for coupling, parameters in ((None, theta), (coefficients, torch.from_numpy(coefficients))):
        source = coupled_array_source(array, PAIR, coupling=coupling, seed=7)
        expected = family.response(parameters[None], spec.positions, azimuth)[0].numpy()
        assert np.allclose(source.response(0.0), expected, atol=1e-6)
        assert np.allclose(source.coupling, family.matrix(parameters).numpy(), atol=1e-12)
        steered = source.coupling @ np.exp(2j * np.pi * positions_towards(spec, azimuth[0].numpy()))
        assert not np.allclose(source.response(0.0), steered, atol=1e-3)  # it depends on direction
    whole = coupled_array_source(array, PAIR, coupling=2j * np.eye(spec.n_elements))
    assert np.array_equal(whole.coupling, np.eye(spec.n_elements))
    with pytest.raises(SpecificationError, match=f"coefficients of the coupling of {array} must be real"):
        coupled_array_source(array, PAIR, coupling=1j * coefficients)
    with pytest.raises(SpecificationError, match=f"coupling must be {len(coefficients)} coefficients or a "):
        coupled_array_source(array, PAIR, coupling=coefficients[:-1])


@pytest.mark.parametrize("name", ["ula8", "seed16", "dome8"])
def test_a_series_over_direction_is_what_the_array_receives(name):
    """At the horizon, and above it where the series has elevations."""
    spec, azimuth = directional_spec(name, 1), torch.tensor([[-20.0, 35.0]], dtype=torch.float64).deg2rad()
    theta = spec.family.draw((), torch.Generator().manual_seed(7))
    elevation = torch.tensor([[0.0, 30.0 if spec.elevated else 0.0]], dtype=torch.float64).deg2rad()
    raised = [PAIR[0], PAIR[1] | ({"elevation_deg": 30.0} if spec.elevated else {})]
    source = coupled_array_source(spec, raised, seed=7)
    expected = spec.family.response(theta[None], spec.positions, azimuth, elevation)[0].numpy()
    assert np.allclose(source.response(0.0), expected, atol=1e-6)
    assert np.allclose(source.coupling, spec.family.matrix(theta).numpy(), atol=1e-12)


def positions_towards(spec, azimuth):
    """Positions along directions, (N, P), wavelengths."""
    return spec.positions[:, :2].numpy() @ np.stack([np.cos(azimuth), np.sin(azimuth)])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"array": "nothing"}, "array must be one of"),
        ({"emitters": []}, "1 to 3 emitters, found 0"),
        ({"emitters": PAIR * 2}, "1 to 3 emitters, found 4"),
        ({"emitters": [{"azimuth_deg": 0, "waveform": "am"}]}, "waveform"),
        ({"coupling": [0.1, 0.2, 0.3]}, "coupling must be"),
        ({"coupling": np.zeros((4, 4))}, "coupling must be"),
        ({"sample_rate": 0}, "sample_rate"),
        ({"snr_db": float("nan")}, "snr_db"),
        ({"truth_period": 0}, "truth_period"),
        ({"n_elements": 8}, "expected 4 streams"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, words):
    with pytest.raises(SpecificationError, match=words):
        coupled_array_source(**({"array": "ula4", "emitters": PAIR} | arguments))


def test_an_exception_in_work_ends_the_run_and_is_told():
    source = coupled_array_source("ula4", PAIR, sample_rate=1e5)
    source._waveforms = [None]  # what no argument can do: work() fails from within
    flowgraph, told = gr.top_block(), collector()
    sinks = [blocks.null_sink(8) for _ in range(4)]
    for k in range(4):
        flowgraph.connect((source, k), sinks[k])
    flowgraph.msg_connect(source, "status", told, "in")
    run(flowgraph, 10.0)
    assert isinstance(source.failure, AttributeError)
    (status,) = told.messages
    assert status["state"] == "error" and "AttributeError" in status["last_error"]


def test_emitters_above_the_horizon_come_from_there():
    """A climbing tone in a panel: phases between rows and columns are those of its direction."""
    tone = {"track": [(0.0, 20.0, 0.0), (0.5, 20.0, 30.0)], "waveform": "tone"}
    source = coupled_array_source("panel16", [tone], 200.0, 1e5, np.eye(16))
    y, truths = receive(source, 30_000)
    row = np.angle(y[4] * y[0].conj()) / np.pi  # neighbours along z: sin el; along y: cos el sin az
    column = np.angle(y[1] * y[0].conj()) / np.pi
    elevation = 60.0 * np.arange(30_000) / 1e5
    assert np.abs(np.degrees(np.arcsin(row)) - elevation).max() <= 60.0 * 256 / 1e5 + 1e-3
    across = np.cos(np.radians(elevation)) * np.sin(np.radians(20.0))
    assert np.abs(column - across).max() < 1e-3
    assert [t["elevation_deg"][0] for t in truths[:2]] == pytest.approx([0.0, 12.0])
    validate(truths[1])


def test_an_emitter_above_the_horizon_is_told_of_arrays_that_look_for_none():
    low, high = (coupled_array_source("uca5", [{"azimuth_deg": 20.0, "elevation_deg": e}], seed=3) for e in (0.0, 60.0))
    assert "elevation_deg" not in low.truth(0.0) and high.truth(0.0)["elevation_deg"] == [60.0]
    spec = load_spec("uca5")
    towards = np.cos(np.radians(60.0)) * positions_towards(spec, np.radians([20.0]))
    assert np.allclose(high.response(0.0), high.coupling @ np.exp(2j * np.pi * towards), atol=1e-6)
    assert coupled_array_source("dome8", PAIR[:1]).truth(0.0)["elevation_deg"] == [0.0]
    with pytest.raises(SpecificationError, match="response of kraken5 is known at the horizon"):
        coupled_array_source("kraken5", [{"azimuth_deg": 20.0, "elevation_deg": 60.0}])


def test_elements_with_a_pattern_receive_by_it(tmp_path):
    array = tmp_path / "dome8d.toml"
    array.write_text('like = "dome8"\nname = "dome8d"\n[element]\npattern = "short-dipole"\n')
    emitters = [{"azimuth_deg": 20.0, "elevation_deg": 60.0}, {"azimuth_deg": 140.0}]
    plain, shaped = (coupled_array_source(str(name), emitters, seed=3) for name in ("dome8", array))
    assert np.allclose(shaped.response(0.0), plain.response(0.0) * [0.5, 1.0], atol=1e-6)
    assert shaped.truth(0.0)["power_db"] == [0.0, 0.0]  # of what is incident
