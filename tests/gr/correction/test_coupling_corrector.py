"""The coupling corrector in flowgraphs: the inverse to rounding, unbiased bearings, updates without a glitch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr
from gr_doamc import coupled_array_source, coupling_corrector, doa_estimator, snapshot_buffer

from doamc.calibration import correction_matrix, load_coupling, save_coupling
from doamc.errors import DoamcError
from doamc.estimates import make_message, validate
from tests.doamc.calibration.signals import normal
from tests.gr.running import collector, run
from tests.gr.streaming import gate, passed


def coupling(seed, n=4):
    matrix = np.eye(n) + 0.2 * normal(np.random.default_rng(seed), n, n)
    return matrix / np.trace(matrix) * n


def estimate(matrix, seq=0, array="ula4", noise_power=0.1, power_db=(0.0, -3.0)):
    """An estimate as `doa_estimator` posts it."""
    c = None if matrix is None else {"re": np.real(matrix).tolist(), "im": np.imag(matrix).tolist()}
    return pmt.to_pmt(
        make_message(
            seq=seq, time=1.79e9, sample_time=0.0, frequency_hz=None, array=array, method="ml",
            azimuth_deg=np.linspace(-20, 30, len(power_db)), std_deg=None, power_db=power_db, noise_power=noise_power,
            coupling=None, snapshots=10, latency_ms={}, dropped_batches=0,
        ) | {"coupling": c}
    )  # fmt: skip


def posted(block, samples, messages, every=20_000):
    """The flowgraph after samples have passed, with a message before every so many of them."""

    def stop(k, message):
        before = sum(block.counters.values())
        return every * (k + 1), [message], lambda: sum(block.counters.values()) == before + k + 1

    return passed(block, samples, stops=[stop(*m) for m in enumerate(messages)], port="estimates")


def test_without_regularisation_it_is_the_inverse_to_rounding(tmp_path):
    c, file = coupling(1, 8), str(tmp_path / "c.toml")
    save_coupling(file, c)
    samples = normal(np.random.default_rng(0), 8, 30_000).astype(np.complex64)
    made = passed(coupling_corrector(8, file, 0.0), samples)
    expected = np.linalg.solve(c, samples.astype(complex))
    # eight products and sums of single precision, each of up to |W| |y|: 2^-24 sqrt(16) of it, and the worst of 240 000
    bound = 2**-24 * 4 * 5 * np.linalg.norm(np.linalg.inv(c), 2) * np.abs(samples).max() * np.sqrt(8)
    assert np.abs(made.samples - expected).max() < bound < 1e-4
    ((offset, values),) = made.tags("coupling_correction").items()
    assert offset == 0 and values == [{"updates": 0, "fade": 0, "regularisation": 0.0}] * 8
    assert made.told.messages[0]["condition"] == pytest.approx(np.linalg.cond(c))


def test_without_a_file_streams_pass_unchanged():
    samples = normal(np.random.default_rng(0), 4, 50_000).astype(np.complex64)
    made = passed(coupling_corrector(4), samples)
    assert np.array_equal(made.samples, samples) and made.tags("coupling_correction") == {}


def test_updates_lose_and_double_no_sample():
    # the sample's number in every stream; the couplings are diagonal, so that it can be told behind them too
    size, fade = 300_000, 1000
    numbers = np.tile(np.arange(size), (4, 1)).astype(np.complex64)
    turns = [np.diag(np.exp(1j * np.array([0, 0.3, -0.2, 0.1]) * k)) for k in range(1, 21)]
    block = coupling_corrector(4, "", 0.0, fade)
    made = posted(block, numbers, [estimate(t, k) for k, t in enumerate(turns)], size // 21)
    out, tags = made.samples, made.tags("coupling_correction")
    assert out.shape == numbers.shape
    assert np.abs(out[0] - numbers[0]).max() < 1e-6 * size  # channel 0 has a gain of 1 all along
    assert block.counters == {"updates": 20, "without_coupling": 0, "failed": 0}
    assert len(tags) > 5 and [v[0]["updates"] for v in tags.values()][-1] == 20
    # outside of fades the gain of every stream is that of one update; within, the phase moves as the fade allows
    phases = np.angle(out[1:, 1:] / numbers[1:, 1:])
    steps = np.abs(np.diff(np.unwrap(phases), axis=1))
    biggest = 20 * 0.3  # if all updates but one were passed over; the chord is at most 2
    assert steps.max() < min(biggest, 2.0) * np.pi / (2 * (fade + 1)) / np.cos(0.5) + 1e-5
    calm = np.ones(size - 2, bool)
    for offset in tags:
        calm[max(offset - 2, 0) : offset + fade + 1] = False
    assert steps[:, calm].max() < 1e-5 and calm.sum() > size // 2


def test_a_step_of_the_matrix_is_no_step_of_the_streams():
    first, second = coupling(1), coupling(2)
    level = normal(np.random.default_rng(3), 4)
    samples = np.tile(level[:, None], 200_000)
    fade = 5000
    made = posted(coupling_corrector(4, "", 0.0, fade), samples, [estimate(first), estimate(second, 1)], 60_000)
    ways = [np.linalg.inv(c) @ level for c in (np.eye(4), first, second)]
    way = max(np.linalg.norm(a - b) for a in ways for b in ways)
    steps = np.linalg.norm(np.diff(made.samples, axis=1), axis=0)
    assert 0 < steps.max() < way * np.pi / (2 * (fade + 1)) + 3e-6
    assert made.samples[:, -1] == pytest.approx(ways[2], abs=1e-5)


def test_without_a_fade_it_switches_at_the_tag():
    c = coupling(5)
    samples = normal(np.random.default_rng(0), 4, 100_000).astype(np.complex64)
    made = posted(coupling_corrector(4, "", 0.0, 0), samples, [estimate(c)])
    ((offset, _),) = made.tags("coupling_correction").items()
    assert np.array_equal(made.samples[:, :offset], samples[:, :offset])
    assert np.abs(made.samples - np.linalg.solve(c, samples))[:, offset:].max() < 1e-4


def test_the_regularisation_is_fixed_or_of_the_estimate():
    c = coupling(5)
    samples = np.ones((4, 60_000), np.complex64)
    for wanted, expected in ((0.05, 0.05), ("mmse", 0.1 / (1 + 10**-0.3))):
        made = posted(coupling_corrector(4, "", wanted, 0), samples, [estimate(c)])
        assert made.block.regularisation == pytest.approx(expected)
        assert made.samples[:, -1] == pytest.approx(correction_matrix(c, expected) @ np.ones(4), abs=1e-5)
        assert made.told.messages[-1]["regularisation"] == pytest.approx(expected)


def test_what_cannot_be_used_is_told_and_changes_nothing():
    block = coupling_corrector(4, "", "mmse", 0, "ula4")
    bad = [
        pmt.to_pmt({"x": 1}), estimate(coupling(0), array="uca5"), estimate(coupling(0, 5)), estimate(np.ones((4, 4)),
        noise_power=0.0), estimate(np.full((4, 4), np.nan)), estimate(coupling(0), noise_power=None), estimate(None),
    ]  # fmt: skip
    samples = normal(np.random.default_rng(0), 4, 20_000).astype(np.complex64)
    made = posted(block, samples, bad, 2000)
    assert np.array_equal(made.samples, samples)
    assert block.counters == {"updates": 0, "without_coupling": 1, "failed": 6}
    texts = [m["last_error"] for m in made.told.messages if m["state"] == "error"]
    words = ["connect a doa_estimator", "of 'ula4'", "4 x 4", "cannot be inverted", "finite square", "noise power"]
    assert [w in t for w, t in zip(words, texts, strict=True)] == [True] * 6
    for message in made.told.messages:
        validate(message)


def test_the_newest_coupling_is_kept_for_the_next_run(tmp_path):
    file, c = str(tmp_path / "c.toml"), coupling(7)
    samples = np.ones((4, 30_000), np.complex64)
    posted(coupling_corrector(4, file, 0.01, 0), samples, [estimate(coupling(6)), estimate(c, 1)], 10_000)
    assert load_coupling(file)[0] == pytest.approx(c) and load_coupling(file)[1] == 0.01
    made = passed(coupling_corrector(4, file, 0.01), samples)
    expected = correction_matrix(c, 0.01) @ np.ones(4)
    assert np.abs(made.samples - expected[:, None]).max() < 1e-5
    # a file of the command line is read, and left as it is
    np.savez(tmp_path / "c.npz", coupling=c[None])
    before = (tmp_path / "c.npz").read_bytes()
    made = passed(coupling_corrector(4, str(tmp_path / "c.npz"), 0.01, 0), samples)
    assert np.abs(made.samples - expected[:, None]).max() < 1e-5
    made = posted(coupling_corrector(4, str(tmp_path / "c.npz"), 0.01, 0), samples, [estimate(coupling(6))])
    assert made.block.counters["updates"] == 1
    assert (tmp_path / "c.npz").read_bytes() == before


def test_a_file_may_come_while_it_runs(tmp_path):
    c, samples = coupling(7), np.ones((4, 100_000), np.complex64)
    save_coupling(tmp_path / "c.toml", c)
    block = coupling_corrector(4, "", 0.0, 100)
    file = str(tmp_path / "c.toml")
    made = passed(block, samples, stops=[(50_000, [], lambda: block.set_file(file) or True)])
    ((offset, _),) = made.tags("coupling_correction").items()
    assert 0 < offset <= 50_000
    assert made.samples[:, -1] == pytest.approx(np.linalg.inv(c) @ np.ones(4), abs=1e-5)


def test_plain_music_behind_it_is_unbiased(tmp_path):
    bearings = [-23.0, 31.0]
    source = coupled_array_source(
        "ula8", [{"azimuth_deg": b} for b in bearings], 25.0, 1e5, [0.3 - 0.2j, 0.1 + 0.05j], seed=3
    )
    flowgraph, found, length, count = gr.top_block(), {}, 1000, 40
    file = str(tmp_path / "c.toml")
    save_coupling(file, source.coupling)
    block = coupling_corrector(8, file, 0.0)
    cutter = {name: snapshot_buffer(8, length, 0, 1, 1e5, "ula8") for name in ("before", "behind")}
    for k in range(8):
        flowgraph.connect((source, k), blocks.head(8, length * count), (block, k))
        flowgraph.connect((block, k), (cutter["behind"], k))
        flowgraph.connect((source, k), blocks.head(8, length * count), (cutter["before"], k))
    for name, cut in cutter.items():
        estimator, found[name] = doa_estimator("ula8", "music", 2, queue_size=count), collector()
        flowgraph.msg_connect(cut, "snapshots", estimator, "snapshots")
        flowgraph.msg_connect(estimator, "estimates", found[name], "in")
    run(flowgraph)
    error = {
        k: np.array([[s["azimuth_deg"] for s in m["sources"]] for m in c.messages]) - bearings for k, c in found.items()
    }
    assert error["behind"].shape == (count, 2)
    # the mean of 40 estimates against its own deviation: what is left of a bias of degrees
    deviation = error["behind"].std(0) / np.sqrt(count)
    assert (np.abs(error["behind"].mean(0)) < 4 * deviation + 0.005).all() and deviation.max() < 0.01
    assert np.abs(error["before"].mean(0)).min() > 0.5


def test_it_follows_the_estimator_beside_it():
    bearings = [-23.0, 31.0]
    source = coupled_array_source(
        "ula8", [{"azimuth_deg": b} for b in bearings], 20.0, 1e5, [0.3 - 0.2j, 0.1 + 0.05j], seed=3
    )
    flowgraph, behind, hop, count = gr.top_block(), collector(), 10_000, 6
    estimator, plain = doa_estimator("ula8", "ml", 2), doa_estimator("ula8", "music", 2, queue_size=20)
    block = coupling_corrector(8, "", 0.001, 2048, "ula8")
    cutters = [snapshot_buffer(8, 500, hop, 1, 1e5, "ula8") for _ in range(2)]
    # the first batch has passed the corrector before the estimator gets it, and from then on each waits for an update
    first = gate(8, [(0, [], lambda: block.nitems_written(0) >= 500)])
    later = gate(8, [(hop * k, [], lambda k=k: block.counters["updates"] >= k) for k in range(1, count)])
    for k in range(8):
        flowgraph.connect((source, k), blocks.head(8, hop * count), (later, k))
        flowgraph.connect((later, k), (block, k), (cutters[1], k))
        flowgraph.connect((later, k), (first, k), (cutters[0], k))
    flowgraph.msg_connect(cutters[0], "snapshots", estimator, "snapshots")
    flowgraph.msg_connect(estimator, "estimates", block, "estimates")
    flowgraph.msg_connect(cutters[1], "snapshots", plain, "snapshots")
    flowgraph.msg_connect(plain, "estimates", behind, "in")
    run(flowgraph)
    assert block.counters["updates"] >= count - 1 and block.counters["failed"] == 0
    error = np.linalg.norm(block.coupling - source.coupling) / np.linalg.norm(source.coupling)
    # the bound for 500 snapshots is -47 dB; four parameters are ten times off it with a chance of 4e-8
    assert 20 * np.log10(error) < -37
    azimuths = {m["batch_seq"]: [s["azimuth_deg"] for s in m["sources"]] for m in behind.messages}
    assert np.abs(np.array(azimuths[0]) - bearings).max() > 1.0  # no estimate had come yet
    assert azimuths[max(azimuths)] == pytest.approx(bearings, abs=0.2)  # the bound is 0.015 deg


@pytest.mark.slow
def test_eight_channels_at_ten_million_samples_a_second_on_one_core(tmp_path):
    script, result = Path(__file__).resolve().parents[3] / "benchmarks" / "corrector.py", tmp_path / "result.json"
    command = [sys.executable, str(script), "--seconds", "4", "--out", str(result)]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    cases = json.loads(result.read_text(encoding="utf-8"))["cases"]
    # sources and sinks included; per second of processor time, so that a busy machine does not matter much
    assert cases["coupling_corrector"]["msps_per_core"] >= 10
    assert cases["coupling_corrector, 20 updates a second"]["msps_per_core"] >= 10


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_elements": 1}, {"fade": -1}, {"regularisation": -0.1}, {"regularisation": "much"},
        {"regularisation": float("nan")}, {"file": "none.npz"}, {"file": "none/none.toml"},
    ],
)  # fmt: skip
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(DoamcError, match=r"expected|no folder"):
        coupling_corrector(**arguments)
