"""The flowgraph that parts two QPSK emitters: compiled, run without a screen, its bits counted."""

import importlib.util
import time
from pathlib import Path

import numpy as np
import pmt
import pytest
from gnuradio import blocks
from gr_doamc.sources.emitters import Waveform

from tests.gr.running import compile_flowgraphs

FLOWGRAPH = Path(__file__).resolve().parents[3] / "flowgraphs" / "separate_qpsk.grc"


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scripts")
    compile_flowgraphs([FLOWGRAPH], folder)
    return folder / "separate_qpsk.py"


def sent(source, seed, size):
    """What the emitters of a simulated array send, (P, n): their generators begun anew."""
    seeds = np.random.SeedSequence(seed).spawn(1 + len(source.emitters))[1:]
    rngs = [np.random.Generator(np.random.SFC64(s)) for s in seeds]
    pairs = zip(source.emitters, rngs, strict=True)
    return np.array([Waveform(e, source.sample_rate, rng).next(size) for e, rng in pairs])


def wrong_share(found, wanted):
    """Share of bits that are wrong once one phase is taken out."""
    turn = np.vdot(found, wanted)
    found = found * turn / abs(turn)
    return np.mean([(found.real < 0) != (wanted.real < 0), (found.imag < 0) != (wanted.imag < 0)])


def test_both_emitters_come_out_without_bit_errors(qt, script, monkeypatch, tmp_path):
    """At 5 dB an element the best decisions there are make one bit in a million wrong; one element alone, one in four.

    Estimates come as time allows, so that filters change at samples that nobody knows; no change may turn a phase.
    """
    monkeypatch.setenv("HOME", str(tmp_path))  # the window's place is a setting of the user
    spec = importlib.util.spec_from_file_location("separate_qpsk", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    window = module.separate_qpsk(method="map", address="tcp://127.0.0.1:*", seed=1)
    separator = window.emitter_separator
    sinks = [blocks.vector_sink_c() for _ in range(3)]
    for k, sink in enumerate(sinks[:2]):
        window.connect((separator, k), sink)
    window.connect(window.throttle, sinks[2])
    window.start()
    try:
        window.show()
        end = time.monotonic() + 120
        while separator.counters["updates"] < 6:
            assert time.monotonic() < end, "no estimates came to the separator"
            qt.QApplication.instance().processEvents()
            time.sleep(0.01)
    finally:
        window.stop()
        window.wait()
    begin = max(t.offset for sink in sinks[:2] for t in sink.tags() if pmt.symbol_to_string(t.key) == "emitter") + 256
    size = min(len(sink.data()) for sink in sinks)
    wanted = sent(window.coupled_array_source, 1, size)[:, begin:]
    found = [np.array(sink.data())[begin:size] for sink in sinks]
    assert size - begin > 20_000
    for k in range(2):
        assert wrong_share(found[k], wanted[k]) < 1e-4
        assert wrong_share(found[2], wanted[k]) > 0.15
