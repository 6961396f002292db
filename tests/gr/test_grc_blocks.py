"""Every block description: it parses, its assertions hold and fail, and what it makes is the block it describes."""

import ast
import inspect
from pathlib import Path
from types import SimpleNamespace

import gr_doamc
import pmt
import pytest
import yaml
from gnuradio import gr
from gnuradio.grc.core.platform import Platform

from doamc.estimators import DEFAULT_METHOD

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "grc"
NAMES = sorted(p.name.removesuffix(".block.yml") for p in FOLDER.glob("*.block.yml"))
RECORDING = ROOT / "flowgraphs" / "recordings" / "kraken5_mixed_2.sigmf-meta"
#: parameters to set so that a block can be made here
NEEDED = {
    "doamc_coupled_array_source": {"sample_rate": "1e5"},
    "doamc_snapshot_buffer": {"sample_rate": "1e5"},
    "doamc_doa_estimator": {"method": "music"},
    "doamc_signal_finder": {"method": "music"},
    "doamc_correlator": {},
    "doamc_sky_imager": {},
    "doamc_zmq_publisher": {"address": "tcp://127.0.0.1:*"},
    "doamc_sigmf_source": {"file": str(RECORDING), "n_elements": "5"},
    "doamc_heimdall_source": {},
    "doamc_krakensdr_source": {},
    "doamc_phase_corrector": {},
    "doamc_coupling_corrector": {},
    "doamc_emitter_separator": {},
    "doamc_recorder": {"file": "record", "max_batches": "0"},
    "doamc_band_sink": {},
    "doamc_compass_sink": {},
    "doamc_coupling_matrix_sink": {},
    "doamc_bearing_history_sink": {},
}
#: values that an assertion must catch
BAD = [
    ("doamc_coupled_array_source", {"n_elements": "1"}),
    ("doamc_coupled_array_source", {"sample_rate": "0"}),
    ("doamc_coupled_array_source", {"truth_period": "0"}),
    ("doamc_coupled_array_source", {"emitters": "[]"}),
    ("doamc_snapshot_buffer", {"n_elements": "1"}),
    ("doamc_snapshot_buffer", {"n_elements": "0"}),
    ("doamc_snapshot_buffer", {"n_snapshots": "0"}),
    ("doamc_snapshot_buffer", {"hop": "255"}),
    ("doamc_snapshot_buffer", {"decimation": "0"}),
    ("doamc_snapshot_buffer", {"sample_rate": "-1"}),
    ("doamc_doa_estimator", {"sources": "0"}),
    ("doamc_doa_estimator", {"noise_power": "0"}),
    ("doamc_doa_estimator", {"queue_size": "0"}),
    ("doamc_doa_estimator", {"threads": "0"}),
    ("doamc_doa_estimator", {"drain_timeout": "-1"}),
    ("doamc_signal_finder", {"n_elements": "1"}),
    ("doamc_signal_finder", {"sources": "0"}),
    ("doamc_signal_finder", {"sample_rate": "-1"}),
    ("doamc_signal_finder", {"frequency": "-1"}),
    ("doamc_signal_finder", {"resolution": "0"}),
    ("doamc_signal_finder", {"slice_s": "0"}),
    ("doamc_signal_finder", {"hang": "-1"}),
    ("doamc_signal_finder", {"update_rate": "0"}),
    ("doamc_signal_finder", {"spectrum_rate": "-1"}),
    ("doamc_signal_finder", {"queue_size": "0"}),
    ("doamc_signal_finder", {"threads": "0"}),
    ("doamc_signal_finder", {"when_full": "never"}),
    ("doamc_signal_finder", {"drain_timeout": "-1"}),
    ("doamc_correlator", {"n_elements": "1"}),
    ("doamc_correlator", {"integration_s": "0"}),
    ("doamc_correlator", {"sample_rate": "-1"}),
    ("doamc_correlator", {"frequency": "-1"}),
    ("doamc_sky_imager", {"pixels": "500"}),
    ("doamc_sky_imager", {"half_width": "0"}),
    ("doamc_sky_imager", {"sources": "0"}),
    ("doamc_sky_imager", {"oversampling": "0.5"}),
    ("doamc_sky_imager", {"gain": "2"}),
    ("doamc_sky_imager", {"components": "0"}),
    ("doamc_sky_imager", {"queue_size": "0"}),
    ("doamc_sky_imager", {"drain_timeout": "-1"}),
    ("doamc_zmq_publisher", {"address": "here"}),
    ("doamc_zmq_publisher", {"heartbeat": "-1"}),
    ("doamc_sigmf_source", {"n_elements": "0"}),
    ("doamc_heimdall_source", {"port": "0"}),
    ("doamc_heimdall_source", {"control_port": "70000"}),
    ("doamc_heimdall_source", {"n_elements": "33"}),
    ("doamc_heimdall_source", {"frequency_hz": "-1"}),
    ("doamc_heimdall_source", {"timeout": "0"}),
    ("doamc_heimdall_source", {"duration": "-1"}),
    ("doamc_krakensdr_source", {"port": "-1"}),
    ("doamc_krakensdr_source", {"control_port": "-2"}),
    ("doamc_krakensdr_source", {"n_elements": "0"}),
    ("doamc_krakensdr_source", {"frequency_hz": "-1"}),
    ("doamc_krakensdr_source", {"settling": "-1"}),
    ("doamc_krakensdr_source", {"sample_rate": "0"}),
    ("doamc_krakensdr_source", {"timeout": "0"}),
    ("doamc_krakensdr_source", {"duration": "-1"}),
    ("doamc_recorder", {"max_batches": "-1"}),
    ("doamc_phase_corrector", {"n_elements": "1"}),
    ("doamc_phase_corrector", {"skip": "-1"}),
    ("doamc_phase_corrector", {"max_lag": "20000"}),
    ("doamc_phase_corrector", {"n_samples": "15", "n_elements": "2"}),
    ("doamc_coupling_corrector", {"n_elements": "1"}),
    ("doamc_coupling_corrector", {"regularisation": "-1"}),
    ("doamc_coupling_corrector", {"fade": "-1"}),
    ("doamc_emitter_separator", {"sources": "0"}),
    ("doamc_emitter_separator", {"rate_deg_s": "0"}),
    ("doamc_emitter_separator", {"hold": "-1"}),
    ("doamc_emitter_separator", {"fade": "-1"}),
    ("doamc_emitter_separator", {"show": "5000"}),
    ("doamc_sigmf_source", {"duration": "-1"}),
    ("doamc_band_sink", {"trail": "-1"}),
    ("doamc_band_sink", {"update_time": "0"}),
    ("doamc_compass_sink", {"history": "-1"}),
    ("doamc_compass_sink", {"update_time": "0"}),
    ("doamc_coupling_matrix_sink", {"floor_db": "0"}),
    ("doamc_bearing_history_sink", {"span": "0"}),
    ("doamc_bearing_history_sink", {"ymin": "90"}),
]


@pytest.fixture(scope="module")
def platform():
    parts = (gr.major_version(), gr.api_version(), gr.minor_version())
    made = Platform(name="test", version=gr.version(), version_parts=parts, prefs=gr.prefs())
    made.build_library([str(FOLDER), *made.config.block_paths])
    return made


def block_of(platform, name, values):
    flowgraph = platform.make_flow_graph()
    flowgraph.options_block.params["output_language"].set_value("python")  # some Companions begin with C++
    block = flowgraph.new_block(name)
    for key, value in ({"id": "made"} | NEEDED[name] | values).items():
        block.params[key].set_value(value)
    flowgraph.rewrite()
    flowgraph.validate()
    faults = [text for part, text in block.iter_error_messages()]
    return block, [f for f in faults if not f.startswith(("ID ", "Port is not"))]


def ports_of(block, way):
    """Names of the message ports of a block or of a hierarchical block, which lists them only by question."""
    if isinstance(block, gr.hier_block2):
        asked = getattr(block, f"message_port_is_hier_{way}")
        names = ("snapshots", "estimates", "signals", "spectrum", "status", "stop", "truth", "visibilities")
        return {name for name in names if asked(pmt.intern(name))}
    return set(pmt.to_python(getattr(block, f"message_ports_{way}")())) - {"system"}


def test_there_is_a_description_of_every_block():
    assert [n.removeprefix("doamc_") for n in NAMES] == sorted(gr_doamc.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_the_description_is_complete(name):
    table = yaml.safe_load((FOLDER / f"{name}.block.yml").read_text(encoding="utf-8"))
    assert table["id"] == name and table["file_format"] == 1
    assert set(table["templates"]) - {"callbacks"} == {"imports", "make"}
    words = table["documentation"]
    # every parameter and every message port is explained
    for parameter in table["parameters"]:
        assert parameter["label"].split(" (")[0] + ":" in words, parameter["label"]
    for port in table.get("inputs", []) + table.get("outputs", []):
        if port["domain"] == "message":
            assert f"Message port {port['id']}:" in words
    # the first sentence is the first of the class
    kind = getattr(gr_doamc, name.removeprefix("doamc_"))
    for callback in table["templates"].get("callbacks", []):
        assert callable(getattr(kind, callback.partition("(")[0]))
    assert words.replace(".\n", ". ").split(". ")[0] in " ".join(inspect.getdoc(kind).split()).replace("``", "")


def test_the_method_shown_first_is_the_default_one():
    table = yaml.safe_load((FOLDER / "doamc_doa_estimator.block.yml").read_text(encoding="utf-8"))
    assert {p["id"]: p.get("default") for p in table["parameters"]}["method"] == DEFAULT_METHOD


def test_the_tree_holds_every_block_once():
    tree = yaml.safe_load((FOLDER / "doamc.tree.yml").read_text(encoding="utf-8"))
    (folders,) = tree.values()
    assert sorted(b for folder in folders for blocks in folder.values() for b in blocks) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_is_made_is_the_block_described(platform, name, tmp_path, monkeypatch, qt):
    monkeypatch.chdir(tmp_path)  # a recorder makes its files at once
    block, faults = block_of(platform, name, {})
    assert faults == []
    made_by = f"self.made = {block.templates.render('make').strip()}"  # as in a generated flowgraph
    call = ast.parse(made_by).body[0].value
    kind = getattr(gr_doamc, name.removeprefix("doamc_"))
    assert ast.unparse(call.func) == f"gr_doamc.{kind.__name__}"
    assert [k.arg for k in call.keywords] and not call.args
    assert {k.arg for k in call.keywords} == set(inspect.signature(kind).parameters)
    window = SimpleNamespace(top_layout=qt.QVBoxLayout())
    names = {"self": window}
    exec(block.templates.render("imports"), names)
    exec(made_by, names)
    made = window.made
    assert window.top_layout.count() == ("gui_hint" in block.params)  # a widget is in the window
    assert type(made) is kind
    for side, signature, ports in (
        (block.active_sinks, made.input_signature(), ports_of(made, "in")),
        (block.active_sources, made.output_signature(), ports_of(made, "out")),
    ):
        streams = [p for p in side if p.domain == "stream"]
        assert len(streams) == max(0, signature.max_streams())
        messages = {p.key for p in side if p.domain == "message"}
        assert messages == ports
    if isinstance(made, (gr_doamc.zmq_publisher, gr_doamc.recorder)):
        made.stop()


@pytest.mark.parametrize(("name", "values"), BAD)
def test_assertions_catch_what_is_out_of_range(platform, name, values):
    assert block_of(platform, name, values)[1], values


@pytest.mark.parametrize("name", ["doamc_snapshot_buffer", "doamc_sigmf_source"])
def test_vectors_are_one_port_whose_width_may_be_left_open(platform, name):
    kind = "input_type" if name == "doamc_snapshot_buffer" else "output_type"
    for count, width in (("5", 5), ("0", 1)):
        block, faults = block_of(platform, name, {kind: "vector", "n_elements": count})
        side = block.active_sinks if kind == "input_type" else block.active_sources
        (port,) = [p for p in side if p.domain == "stream"]
        assert faults == [] and port.vlen == width
