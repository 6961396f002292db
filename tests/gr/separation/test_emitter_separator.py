"""The emitter separator in flowgraphs: bit errors beside the best there are, tracks, tags, what it refuses."""

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr
from gr_doamc import emitter_separator

from doamc.errors import DoamcError
from doamc.estimates import validate
from doamc.spec import load_spec
from tests.gr.running import collector, run
from tests.gr.separation.scene import Heard
from tests.gr.streaming import gate

#: samples from one message to the next
EVERY = 10_000


class separated(gr.top_block):
    """Streams (8, n) through a separator; a message before every so many samples, which has come in by then."""

    def __init__(self, block, samples, messages, places=2, tags=(), watch=None):
        gr.top_block.__init__(self, "separated")
        self.block, self.told = block, collector()
        stops = [
            (EVERY * k, [pmt.to_pmt(m)], lambda k=k: block.counters["received"] > k) for k, m in enumerate(messages)
        ]
        self.gate = gate(len(samples), stops)
        self.sinks = [blocks.vector_sink_c() for _ in range(places)]
        for k, row in enumerate(samples):
            source = blocks.vector_source_c(row.astype(np.complex64), False, 1, list(tags) if k == 0 else [])
            self.connect(source, (self.gate, k))
            self.connect((self.gate, k), (block, k))
        for k, sink in enumerate(self.sinks):
            self.connect((block, k), sink)
        self.msg_connect(self.gate, "out", block, "estimates")
        self.msg_connect(block, "status", self.told, "in")
        if watch is not None:
            self.msg_connect(block, watch[1], watch[0], "in")
        run(self)

    @property
    def samples(self):
        return np.array([sink.data() for sink in self.sinks])

    def tags(self, place, key):
        found = [t for t in self.sinks[place].tags() if pmt.symbol_to_string(t.key) == key]
        return [(t.offset, pmt.to_python(t.value)) for t in found]


@pytest.fixture(scope="module")
def heard():
    """5 dB an element, 12 degrees apart, equal power; and estimates of it."""
    made = Heard(60_000, 5.0, turn=(0.0, 0.013))
    return made, [made.estimate(9_000 * k, seq=k) for k in range(6)]


def test_bit_errors_are_those_of_the_genie(heard):
    """Posterior means with scene, carrier and constellation known make none of 200 000 bits wrong at 5 dB; beams to the
    true directions that know of no coupling, one in twenty. A slip of a phase would make a quarter of them wrong.
    """
    made, messages = heard
    found = separated(emitter_separator("ula8", 8, 2), made.received, messages)
    begin = 10_000  # behind the first filter
    genie = made.bit_errors(made.genie(), begin)
    assert genie <= 3
    assert made.bit_errors(found.samples, begin) <= max(1.5 * genie, 5)
    assert made.bit_errors(made.mvdr(), begin) > 4_000


@pytest.mark.parametrize("seed", [0, 1])
def test_bit_errors_where_even_the_genie_makes_some(seed):
    made = Heard(40_000, -1.0, seed=seed)
    found = separated(emitter_separator("ula8", 8, 2), made.received, [made.estimate(0), made.estimate(20_000, seq=1)])
    genie = made.bit_errors(made.genie(), 10_000)
    assert 200 < genie and made.bit_errors(found.samples, 10_000) < 1.5 * genie


def test_streams_tags_counters_and_status(heard):
    made, messages = heard
    block = emitter_separator("ula8", 0, 2, fade=0)
    told = gr.tag_utils.python_to_tag((5, pmt.intern("rx_freq"), pmt.from_double(433e6), pmt.PMT_NIL))
    stale = messages[1] | {"batch_seq": 0}
    bad = [messages[2] | {"array": "ula4"}, {"no": "estimate"}, messages[3] | {"noise_power": 0.0}]
    found = separated(block, made.received, [messages[1], stale, *bad], tags=[told])
    assert found.samples.shape == (2, 60_000)
    assert block.counters == {"received": 5, "updates": 1, "superseded": 0, "stale": 1, "failed": 3, "missed": 0}
    for place, azimuth in enumerate((0.0, 12.0)):
        assert found.tags(place, "rx_freq") == [(5, 433e6)]
        ((offset, tag),) = found.tags(place, "emitter")
        assert tag["track"] == place + 1 and tag["azimuth_deg"] == pytest.approx(azimuth, abs=1.0)
        assert offset == 0 and found.samples[place].any()
    status = found.told.messages[-1]
    assert status["schema"] == "doamc.status/1" and status["tracks"] == pytest.approx([0.0, 12.0], abs=1.0)
    assert [m["last_error"].split(":")[0] for m in found.told.messages if m["state"] == "error"] == [
        "EstimatorError"
    ] * 3


def test_samples_to_look_at(heard):
    """As many of each stream as were asked for, at the time at most; the last ones of the work that they are from."""
    made, messages = heard
    block = emitter_separator("ula8", 8, 2, show=100)
    kept = collector()
    flowgraph = separated(block, made.received, messages[:1], watch=(kept, "waveforms"))
    validate(kept.messages[-1])
    shown = kept.messages[-1]
    for samples, stream in zip((e["samples"] for e in shown["emitters"]), flowgraph.samples, strict=True):
        z = np.array(samples["re"]) + 1j * np.array(samples["im"])
        place = np.abs(stream[:, None] - z[:1]).argmin()
        assert len(z) == 100 and np.abs(stream[place : place + 100] - z).max() < 1e-3


def test_without_estimates_streams_are_silent(heard):
    made, _ = heard
    assert not separated(emitter_separator("ula8", 8, 3), made.received[:, :3000], [], places=3).samples.any()


def test_bad_arguments_are_said():
    for arguments in (
        {"sources": 0},
        {"sources": 8},
        {"n_elements": 7},
        {"rate_deg_s": 0.0},
        {"hold": -1},
        {"fade": -1},
    ):
        with pytest.raises(DoamcError, match="expected"):
            emitter_separator("ula8", **arguments)


def test_emitters_above_the_horizon_are_parted_by_both_angles(tmp_path):
    """By the response to both angles; powers are told of what is incident, and weighed by what elements receive."""
    array = tmp_path / "dome8d.toml"
    array.write_text('like = "dome8"\nname = "dome8d"\n[element]\npattern = "short-dipole"\n')
    estimate = {
        "sources": [
            {"azimuth_deg": 20.0, "elevation_deg": 60.0, "power_db": 0.0},
            {"azimuth_deg": 140.0, "elevation_deg": 0.0, "power_db": -3.0},
        ],
        "coupling": None, "noise_power": 0.1,
    }  # fmt: skip
    plain, shaped = (emitter_separator(str(name))._scene(estimate)["v"] for name in ("dome8", array))
    positions = load_spec("dome8").positions.numpy()
    towards = np.radians([[20.0, 60.0], [140.0, 0.0]])
    units = [(np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)) for a, e in towards]
    np.testing.assert_allclose(plain, np.exp(2j * np.pi * positions @ np.transpose(units)))
    np.testing.assert_allclose(shaped, plain * [0.5, 1.0])
