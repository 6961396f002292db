"""The phase corrector in flowgraphs: recovery to the bound, exact samples, files, refusals."""

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr
from gr_doamc import coupled_array_source, doa_estimator, phase_corrector, snapshot_buffer

from doamc.calibration import load_channels, save_coupling
from doamc.errors import CalibrationError, DoamcError, RecordingError
from doamc.estimates import validate
from tests.doamc.calibration.signals import bound, normal, received
from tests.gr.running import collector, run
from tests.gr.streaming import gate, passed

GAINS = np.array([1.0, 0.7, 1.6, 0.9]) * np.exp(1j * np.radians([0.0, 170.0, -95.0, 20.0]))
SIZE = 5000


def corrector(**options):
    return phase_corrector(**({"n_elements": 4, "n_samples": SIZE} | options))


@pytest.mark.parametrize("snr_db", [10.0, 30.0])
def test_gains_and_phases_are_undone_from_the_sample_after_the_alignment(snr_db):
    samples, skip = received(GAINS, 30_000, snr_db, 1), 1234
    made = passed(corrector(skip=skip), samples)
    out, first = made.samples, skip + SIZE
    assert out.shape == samples.shape and np.array_equal(out[:, :first], samples[:, :first])
    found = made.block.calibration
    expected = samples[:, first:] / found.gains[:, None]
    assert np.abs(out[:, first:] - expected).max() < 1e-5 * np.abs(expected).max()
    error = np.log(found.gains / GAINS)[1:]
    phase, gain = bound(GAINS, SIZE, snr_db)
    # three errors of each kind, each beyond 4.5 deviations with a chance of 7e-6
    assert (np.abs(error.imag) < 4.5 * phase[1:]).all() and (np.abs(error.real) < 4.5 * gain[1:]).all()
    ((offset, values),) = made.tags("phase_correction").items()
    assert offset == first
    assert [v["phase_deg"] for v in values] == pytest.approx(np.degrees(np.angle(found.gains)).tolist())
    assert [v["gain_db"] for v in values] == pytest.approx((20 * np.log10(np.abs(found.gains))).tolist())
    for message in made.told.messages:
        validate(message)
    assert [m["alignment"] for m in made.told.messages] == ["collecting", "aligned"]
    last = made.told.messages[-1]
    assert last["state"] == "running" and last["counters"] == {"aligned": 1, "refused": 0, "failed": 0}
    assert last["calibration"]["ratio_db"] == found.ratio_db > 10 and last["calibration"]["note"] == "noise source"


def test_what_was_stored_gives_the_same_output_from_the_first_sample(tmp_path):
    samples, file = received(GAINS, 20_000, 20.0, 2), str(tmp_path / "channels.toml")
    first = passed(corrector(file=file), samples)
    second = passed(corrector(file=file, at_start=False), samples)
    assert np.array_equal(second.samples[:, SIZE:], first.samples[:, SIZE:])
    assert np.array_equal(second.block.calibration.gains, first.block.calibration.gains)
    assert list(second.tags("phase_correction")) == [0]
    assert [m["alignment"] for m in second.told.messages] == ["stored"]


def test_delays_are_found_kept_and_undone(tmp_path):
    lags, file = np.array([0, 40, -25, 3]), str(tmp_path / "channels.toml")
    samples = received(GAINS, 40_000, 30.0, 3, lags)
    aligning = passed(corrector(max_lag=50, n_samples=40_000, file=file), samples)  # all of it, until the end
    assert np.array_equal(aligning.samples, samples)
    assert load_channels(file, 4).lag_samples.tolist() == lags.tolist()
    out = passed(corrector(max_lag=50, at_start=False, file=file), samples).samples
    # the latest channel waits for nothing, and all show the same signal: what is left is the noise, 0.03 / |g|
    late = lags.max() - lags
    assert np.abs(out[1, :100] - samples[1, :100] / GAINS[1]).max() < 0.05
    assert all(np.array_equal(out[k, : late[k]], np.zeros(late[k])) for k in range(4))
    difference = (out - out[0])[1:, 100:]
    assert np.sqrt((np.abs(difference) ** 2).mean(1)) == pytest.approx(
        np.hypot(10**-1.5, 10**-1.5 / np.abs(GAINS[1:])), rel=0.05
    )


def test_delays_are_undone_while_the_stream_goes_on():
    lags = np.array([0, 40, -25, 3])
    samples = received(GAINS, 200_000, 30.0, 3, lags)
    block = corrector(max_lag=50)
    made = passed(block, samples, stops=[(100_000, [], lambda: block.calibration or block._alignment._found)])
    assert made.samples.shape == samples.shape
    ((offset, values),) = made.tags("phase_correction").items()
    assert SIZE <= offset <= 100_000 and [v["lag_samples"] for v in values] == lags.tolist()
    assert np.array_equal(made.samples[:, :offset], samples[:, :offset])
    late = lags.max() - lags
    for k in range(4):
        expected = samples[k, offset - late[k] : 200_000 - late[k]] / made.block.calibration.gains[k]
        assert np.abs(made.samples[k, offset:] - expected).max() < 1e-5 * np.abs(expected).max()


def test_noise_is_refused_with_the_reason_and_changes_nothing():
    samples = normal(np.random.default_rng(0), 4, 20_000).astype(np.complex64)
    made = passed(corrector(), samples)
    assert np.array_equal(made.samples, samples) and made.tags("phase_correction") == {}
    last = made.told.messages[-1]
    validate(last)
    assert (last["state"], last["alignment"]) == ("error", "refused") and last["counters"]["refused"] == 1
    assert "do not see one signal" in last["last_error"] and last["calibration"] is None


def test_a_refusal_leaves_what_was_stored(tmp_path):
    file = tmp_path / "channels.toml"
    passed(corrector(file=str(file)), received(GAINS, 10_000, 20.0, 2))
    before, kept = file.read_bytes(), load_channels(file)
    samples = normal(np.random.default_rng(0), 4, 20_000).astype(np.complex64)
    made = passed(corrector(file=str(file)), samples)
    assert made.samples == pytest.approx(samples / kept.gains[:, None], rel=1e-5)
    assert made.block.alignment == "refused" and file.read_bytes() == before


def test_one_emitter_of_known_direction_on_a_message(tmp_path):
    file = str(tmp_path / "coupling.toml")
    source = coupled_array_source("ula4", [{"azimuth_deg": 25.0}], 30.0, 1e5, seed=5)
    save_coupling(file, source.coupling)
    block = corrector(array="ula4", coupling=file, at_start=False)
    flowgraph, told = gr.top_block(), collector()
    message = pmt.to_pmt({"reference": "emitter", "azimuth_deg": 25.0})
    begin = gate(4, [(0, [message], lambda: block.alignment == "collecting")])
    for k in range(4):
        flowgraph.connect((source, k), blocks.multiply_const_cc(complex(GAINS[k])), blocks.head(8, 60_000), (begin, k))
        flowgraph.connect((begin, k), (block, k), blocks.null_sink(8))
    flowgraph.msg_connect(begin, "out", block, "align")
    flowgraph.msg_connect(block, "status", told, "in")
    run(flowgraph)
    found = block.calibration
    assert found is not None and found.note == "emitter at 25 deg, ula4"
    error = np.degrees(np.abs(np.angle(found.gains / GAINS)))[1:]
    assert (error < 5 * found.phase_std_deg[1:]).all() and found.phase_std_deg.max() < 0.1
    assert [m["alignment"] for m in told.messages] == ["none", "collecting", "aligned"]


def test_any_message_begins_and_wrong_ones_are_told():
    samples = received(GAINS, 60_000, 20.0)
    block = corrector(at_start=False)
    wrong = [{"azimuth": 1.0}, {"reference": "sun"}, {"reference": "emitter"}]
    messages = [*map(pmt.to_pmt, wrong), pmt.cons(pmt.intern("pressed"), pmt.PMT_T)]
    made = passed(block, samples, stops=[(0, messages, lambda: block.alignment == "collecting")], port="align")
    assert block.counters == {"aligned": 1, "refused": 0, "failed": 3}
    texts = [m["last_error"] for m in made.told.messages if m["state"] == "error"]
    assert ["expected a dict" in texts[0], "must be one of" in texts[1], "needs an array" in texts[2]] == [True] * 3


def test_a_stream_that_ends_early_or_with_the_alignment():
    samples = received(GAINS, SIZE, 20.0)
    block = passed(corrector(), samples[:, : SIZE - 7]).block
    assert block.alignment == "refused" and "7 samples short" in block.last_error
    assert passed(corrector(), samples).block.alignment == "aligned"


def test_a_file_that_cannot_be_written_is_told_and_the_stream_goes_on(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    block = corrector(file=str(folder / "channels.toml"))
    folder.rmdir()
    made = passed(block, received(GAINS, 20_000, 20.0))
    assert made.samples.shape == (4, 20_000) and block.alignment == "aligned"
    assert block.counters["failed"] == 1 and "no folder" in block.last_error


def test_tags_stay_on_their_streams():
    tag = gr.tag_t()
    tag.offset, tag.key, tag.value = 700, pmt.intern("rx_freq"), pmt.from_double(1e8)
    made = passed(corrector(), received(GAINS, 10_000, 20.0), tags=[tag])
    assert made.tags("rx_freq") == {700: [1e8]}


def test_bearings_behind_it_are_right_and_before_it_wrong():
    source = coupled_array_source("ula8", [{"azimuth_deg": -20.0}, {"azimuth_deg": 31.0}], 20.0, 1e5, np.eye(8), seed=1)
    turns = np.exp(2j * np.pi * np.random.default_rng(2).random(8))
    reference = coupled_array_source("ula8", [{"azimuth_deg": 0.0}], 20.0, 1e5, np.eye(8), seed=2)
    flowgraph, size = gr.top_block(), 20_000
    block = phase_corrector(8, n_samples=size // 2)
    found = {}
    cutter = {name: snapshot_buffer(8, 500, size, 1, 1e5, "ula8") for name in ("before", "behind")}
    for k in range(8):
        # an emitter straight ahead is the same signal in all channels; then the scene
        switch = blocks.stream_mux(8, [size, size])
        turned = blocks.multiply_const_cc(complex(turns[k]))
        flowgraph.connect((reference, k), (switch, 0))
        flowgraph.connect((source, k), (switch, 1))
        flowgraph.connect(switch, blocks.head(8, 2 * size), turned, (block, k))
        flowgraph.connect(turned, (cutter["before"], k))
        flowgraph.connect((block, k), (cutter["behind"], k))
    for name, cut in cutter.items():
        estimator, found[name] = doa_estimator("ula8", "music", 2), collector()
        flowgraph.msg_connect(cut, "snapshots", estimator, "snapshots")
        flowgraph.msg_connect(estimator, "estimates", found[name], "in")
    run(flowgraph)
    newest = {k: max(c.messages, key=lambda m: m["batch_seq"]) for k, c in found.items()}
    bearings = {k: [s["azimuth_deg"] for s in m["sources"]] for k, m in newest.items()}
    # 0.1 deg by the bound of the scene and of the alignment, both
    assert bearings["behind"] == pytest.approx([-20.0, 31.0], abs=0.5)
    assert np.abs(np.array(bearings["before"]) - [-20.0, 31.0]).max() > 3


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_elements": 1}, {"n_samples": 15}, {"n_samples": 100, "max_lag": 25}, {"max_lag": -1}, {"skip": -1},
        {"reference": "sun"}, {"reference": "emitter"}, {"reference": "emitter", "array": "uca5"},
        {"reference": "emitter", "array": "none"}, {"reference": "emitter", "array": "ula4", "coupling": "none.toml"},
        {"reference": "emitter", "array": "ula4", "azimuth_deg": float("nan")},
    ],
)  # fmt: skip
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(DoamcError, match=r"expected|must be|needs an|cannot read"):
        corrector(**arguments)


def test_a_file_of_another_receiver_is_refused(tmp_path):
    file = str(tmp_path / "channels.toml")
    passed(corrector(file=file), received(GAINS, 10_000, 20.0))
    with pytest.raises(CalibrationError, match="expected 5 channels, found 4"):
        corrector(n_elements=5, file=file)


def test_files_that_cannot_serve_are_refused_before_the_run(tmp_path):
    file, samples = str(tmp_path / "channels.toml"), received(GAINS, 20_000, 20.0, lags=[0, 7, 0, 0])
    passed(corrector(max_lag=10, n_samples=20_000, file=file), samples)
    with pytest.raises(CalibrationError, match="has delays of up to 7 samples; set max_lag"):
        corrector(file=file)
    with pytest.raises(RecordingError, match="no folder"):
        corrector(file=str(tmp_path / "none" / "channels.toml"))
