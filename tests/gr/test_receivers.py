"""The flowgraphs of receivers: compiled as they are, and run with simulated receivers in place of the real ones."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from doamc.calibration import load_channels
from tests.gr.running import compile_flowgraphs
from tests.gr.test_flowgraphs import run

FLOWGRAPHS = Path(__file__).resolve().parents[2] / "flowgraphs"
RECEIVERS = {
    "uhd_b210_pair": "uhd_usrp_source", "uhd_x310_twinrx": "uhd_usrp_source",
    "soapy_multichannel": "soapy_custom_source", "rtlsdr_set": "soapy_rtlsdr_source",
}  # fmt: skip
#: direction of the emitter while the channels are aligned, and afterwards
AZIMUTHS_DEG = dict.fromkeys(RECEIVERS, (25.0, -30.0)) | {"rtlsdr_set": (25.0, 320.0)}
DELAYED = ("soapy_multichannel", "rtlsdr_set")
#: one of each kind; the others are wired alike
QUICK = ("uhd_b210_pair", "rtlsdr_set")
NAMES = [pytest.param(n, marks=[] if n in QUICK else pytest.mark.slow) for n in RECEIVERS]
#: samples by which the simulated channels come later, where the flowgraph looks for that
LAGS = [0, 700, 20, 3001, 1]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """Folder with the scripts of all, as they are (NAME.py) and with simulated receivers (NAME_simulated.py)."""
    folder = tmp_path_factory.mktemp("receivers")
    for name in RECEIVERS:
        simulate(name, folder / f"{name}_simulated.grc")
    files = [*(str(FLOWGRAPHS / f"{name}.grc") for name in RECEIVERS), *map(str, folder.glob("*.grc"))]
    compile_flowgraphs(files, folder)
    return folder


def block(name, kind, **parameters):
    states = {"coordinate": [0, 0], "rotation": 0, "state": "enabled"}
    return {"name": name, "id": kind, "parameters": parameters, "states": states}


def simulate(name, file):
    """Write a flowgraph whose receivers are simulated: an emitter that jumps, channels of any phase and gain, delays.

    Channel k of the receivers in the order of their numbering is element k of the array.
    """
    graph = yaml.safe_load((FLOWGRAPHS / f"{name}.grc").read_text(encoding="utf-8"))
    receivers = sorted(b["name"] for b in graph["blocks"] if b["id"] == RECEIVERS[name])
    outputs = sorted({(c[0], c[1]) for c in graph["connections"] if c[0] in receivers})
    n, (first, then) = len(outputs), AZIMUTHS_DEG[name]
    track = [[0, first], [1.2, first], [1.25, then], [9, then]]
    late = name in DELAYED
    rng = np.random.default_rng(n)
    made = [
        block("source", "doamc_coupled_array_source", array="array", emitters=str([{"track": track}]),
              snr_db="25", sample_rate="rate", coupling=str(np.eye(n).tolist()), n_elements=str(n), seed="1",
              truth_period="0.2")
    ]  # fmt: skip
    names = {}
    for k, output in enumerate(outputs):
        gain = rng.uniform(0.5, 2) * np.exp(2j * np.pi * rng.random())
        names[output] = f"channel_{k}"
        made += [
            block(f"gain_{k}", "blocks_multiply_const_vxx", type="complex", const=str(complex(gain)), vlen="1"),
            block(f"channel_{k}", "blocks_delay", type="complex", delay=str(LAGS[k] if late else 0), num_ports="1",
                  vlen="1"),
        ]  # fmt: skip
    made.append(block("throttle", "blocks_throttle", type="complex", samples_per_second="rate", vlen="1"))
    graph["blocks"] = [b for b in graph["blocks"] if b["name"] not in receivers] + made
    links = [[names[c[0], c[1]], "0", c[2], c[3]] if c[0] in receivers else c for c in graph["connections"]]
    links += [["source", str(k), "throttle" if k == 0 else f"gain_{k}", "0"] for k in range(n)]
    links += [["throttle", "0", "gain_0", "0"], *([f"gain_{k}", "0", f"channel_{k}", "0"] for k in range(n))]
    graph["connections"] = links
    graph["options"]["parameters"]["id"] = file.stem
    file.write_text(yaml.safe_dump(graph), encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_bearings_are_right_behind_an_alignment_by_one_emitter(name, scripts, tmp_path):
    (first, then), late, kept = AZIMUTHS_DEG[name], name in DELAYED, tmp_path / "kept.toml"
    options = ["--rate", 2e5, "--reference", "emitter", "--emitter-deg", first, "--calibration", kept]
    # delays are worked out beside the stream: more than four seconds of it are for that
    seconds = 6 if late else 3
    options += ["--duration", seconds, "--hop", 20_000, "--method", "music", *(["--max-lag", 4096] if late else [])]
    heard, done = run(scripts / f"{name}_simulated.py", *options)
    assert "aligned" in done.stdout
    found = {m["sample_time"]: m["sources"][0]["azimuth_deg"] for m in heard["doamc.estimate"]}
    after = [a % 360 for t, a in found.items() if t > seconds - 0.8]
    assert after  # a busy computer drops batches, but the newest
    # 0.3 deg by the bound at this SNR, and as much again for the alignment: a channel out of order is off by tens
    assert after == pytest.approx([then % 360] * len(after), abs=1.5)
    lags = load_channels(kept).lag_samples.tolist()
    assert lags == (LAGS[: len(lags)] if late else [0] * len(lags))


@pytest.mark.parametrize("name", NAMES)
def test_without_the_receiver_the_script_ends_with_the_cause(name, scripts):
    options = {
        "uhd_b210_pair": ["--serial-a", "none", "--serial-b", "none"], "uhd_x310_twinrx": ["--addr", "127.0.0.1"]
    }.get(name, [])  # fmt: skip
    command = [sys.executable, str(scripts / f"{name}.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "No devices found" in done.stderr or "no match" in done.stderr
