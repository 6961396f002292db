"""Streams in, their covariance out: every sample, whatever comes in between."""

from types import SimpleNamespace

import gr_doamc
import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr
from gr_doamc.runtime.visibilities import visibilities_from_pmt

from doamc.errors import DoamcError, ImagingError
from doamc.estimates import validate
from tests.gr.running import collector, run

RATE = 100e3


def noise(n=4, size=50_000, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n, size)) + 1j * rng.standard_normal((n, size))).astype(np.complex64)


def tag(offset, key, value):
    return gr.tag_utils.python_to_tag((offset, pmt.intern(key), pmt.to_pmt(value), pmt.PMT_F))


def correlated(y, tags=(), **options):
    """Integrations, and status, of samples (N, T)."""
    block = gr_doamc.correlator(**({"n_elements": len(y), "sample_rate": RATE, "integration_s": 0.1} | options))
    flowgraph, made, status = gr.top_block(), collector(), collector()
    for k, row in enumerate(y):
        flowgraph.connect(blocks.vector_source_c(row.tolist(), False, 1, list(tags) if k == 0 else []), (block, k))
    flowgraph.msg_connect(block, "visibilities", made, "in")
    flowgraph.msg_connect(block, "status", status, "in")
    run(flowgraph)
    return [visibilities_from_pmt(m) for m in made.raw], status.messages, block


def covariance(y):
    y = y.astype(complex)
    return y @ y.conj().T / y.shape[1]


def test_every_sample_is_integrated():
    y = noise()
    made, status, block = correlated(y, array="ula4", frequency=433e6)
    assert [m.seq for m in made] == [0, 1, 2, 3, 4]
    for k, m in enumerate(made):
        np.testing.assert_allclose(m.covariance, covariance(y[:, 10_000 * k : 10_000 * (k + 1)]), rtol=0, atol=1e-5)
        assert m.snapshots == 10_000 and m.integration_s == pytest.approx(0.1) and m.array == "ula4"
        assert m.sample_time == pytest.approx(0.1 * k) and m.frequency_hz == 433e6 and m.gaps == 0
    validate(status[0])
    counts = block.status()["counters"]
    assert counts["samples"] == 50_000 and counts["integrations"] == 5 and counts["failed"] == 0


def test_a_long_integration_is_of_many_slices():
    y = noise(2)
    made, _, _ = correlated(y, integration_s=0.4)  # four slices of 10 000
    assert made[0].snapshots == 40_000
    np.testing.assert_allclose(made[0].covariance, covariance(y[:, :40_000]), atol=1e-5)


def test_an_integration_of_a_prime_number_of_samples_is_a_little_longer():
    y = noise(2)
    made, _, _ = correlated(y, integration_s=0.40009)
    assert made[0].snapshots == 40_011  # three slices of 13 337 for 40 009 samples
    np.testing.assert_allclose(made[0].covariance, covariance(y[:, :40_011]), atol=1e-5)


def test_an_integration_is_of_as_many_samples_as_elements():
    """Refused at once where the rate is told; where it comes by a tag, the stream ends with the reason."""
    for seconds in (1e-5, 3e-5, 1e-9):
        with pytest.raises(ImagingError, match=r"expected 4 samples of 4 elements at least, found [013], whose"):
            gr_doamc.correlator(n_elements=4, sample_rate=RATE, integration_s=seconds)
    y = noise(size=20)
    made, _, _ = correlated(y, integration_s=4e-5)
    assert [m.snapshots for m in made] == [4] * 5
    made, status, block = correlated(y, [tag(0, "rx_rate", RATE)], sample_rate=0.0, integration_s=3e-5)
    assert not made and isinstance(block.failure, ImagingError) and "singular" in status[-1]["last_error"]


def test_integrations_add_up_by_their_snapshots():
    y = noise(3)
    made, _, _ = correlated(y, integration_s=0.05)
    total = sum(m.snapshots * m.covariance for m in made) / sum(m.snapshots for m in made)
    np.testing.assert_allclose(total, covariance(y), atol=1e-5)


def test_a_second_run_takes_pieces_as_long_as_the_first():
    """GNU Radio keeps what a buffer was given as its limit, and then passes over what is asked for."""
    block, flowgraph = gr_doamc.correlator(16, 0.1, RATE), gr.top_block()
    heads = [blocks.head(gr.sizeof_gr_complex, 20_000) for _ in range(16)]
    for k, head in enumerate(heads):
        flowgraph.connect(blocks.null_source(gr.sizeof_gr_complex), head, (block, k))
    merge, given = block.sink.merge, []

    def looked(limit):
        given.append(merge.max_output_buffer(0))  # what GNU Radio gave at the start of a run
        merge.set_max_output_buffer(limit)

    block.sink.merge = SimpleNamespace(set_max_output_buffer=looked)
    for _ in range(3):
        for head in heads:
            head.reset()
        run(flowgraph)
    assert given == [16_384] * 3 and block.status()["counters"]["samples"] == 20_000


def test_what_another_frequency_brings_is_integrated_apart():
    y = noise()
    tags = [
        tag(0, "rx_rate", RATE), tag(0, "rx_freq", 433e6), tag(0, "rx_time", (1000, 0.5)),
        tag(13_000, "rx_freq", 868e6), tag(13_000, "rx_time", (1000, 0.63)),
    ]  # fmt: skip
    made, _, block = correlated(y, tags, sample_rate=0.0)
    assert [m.frequency_hz for m in made] == [433e6, 868e6, 868e6, 868e6]
    assert [m.rx_time for m in made] == pytest.approx([1000.5, 1000.63, 1000.73, 1000.83])
    np.testing.assert_allclose(made[1].covariance, covariance(y[:, 13_000:23_000]), atol=1e-5)
    assert block.status()["counters"]["left_out"] == 3000


def test_lost_samples_are_counted_as_a_gap():
    y = noise(2, 80_000)
    made, _, _ = correlated(y, [tag(0, "rx_time", (0, 0.0)), tag(20_000, "frames_lost", 1)], integration_s=0.32)
    assert [m.gaps for m in made] == [1, 0]  # two slices of 16 000, of which the second is left out from 16 000 on
    kept = np.concatenate([y[:, :16_000], y[:, 20_000:36_000]], 1)
    np.testing.assert_allclose(made[0].covariance, covariance(kept), atol=1e-5)


def test_samples_that_are_no_numbers_are_left_out_and_told():
    y = noise(2)
    y[1, 12_345] = np.nan
    made, status, block = correlated(y)
    assert [m.seq for m in made] == [0, 2, 3, 4] and block.status()["counters"]["failed"] == 1
    told = next(m for m in status if m["state"] == "error")
    validate(told)
    assert "no numbers in integration 1" in told["last_error"]


def test_a_file_holds_all_integrations(tmp_path):
    path = tmp_path / "sky.npz"
    made, _, _ = correlated(noise(), file=str(path), frequency=433e6)
    with np.load(path) as file:
        np.testing.assert_array_equal(file["covariance"], [m.covariance for m in made])
        assert file["snapshots"].tolist() == [10_000] * 5 and file["frequency_hz"].tolist() == [433e6] * 5


@pytest.mark.parametrize(
    "options",
    [
        {"n_elements": 1}, {"n_elements": 5, "array": "ula4"}, {"integration_s": 0.0}, {"sample_rate": -1.0},
        {"frequency": -1.0}, {"file": "here.txt"},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(options):
    with pytest.raises(DoamcError, match="expected"):
        gr_doamc.correlator(**({"n_elements": 4} | options))
