"""The demo: a GNU Radio flowgraph estimates directions and coupling live, and a second process watches over ZMQ.

    make demo                                  simulated eight-element array, two emitters, one of them moving
    make demo RECORDING=path/to/x.sigmf-meta   a recording, replayed at its own sample rate

Writes a picture and a JSON-lines log into out/ and exits 0; 2 when no estimate came or something failed.
"""

import argparse
import contextlib
import json
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import NoReturn

import numpy as np

from doamc.children import child, end
from doamc.errors import DoamcError, RecordingError, SpecificationError
from doamc.protocol import DEFAULT_ADDRESS
from doamc.spec import SPEED_OF_LIGHT, load_spec, shipped_arrays
from doamc.spec.positions import channels_in_wavelengths

ROOT = Path(__file__).resolve().parent.parent
#: seconds that start-up (torch, GNU Radio, the first batch) may take beside the run itself
START_UP_S = 90.0
TERMINATE = (signal.SIGTERM, signal.SIGHUP)


def array_of(meta: dict) -> str:
    """Name of the shipped array whose elements stand where a recording's do, in any order.

    Raises RecordingError when none does, so that the array has to be named.
    """
    capture = meta["captures"][0]
    try:
        points = np.array([e["point"] for e in capture["spatial:element_geometry"]], dtype=float)
        measured = points * capture["core:frequency"] / SPEED_OF_LIGHT
    except (KeyError, TypeError):
        raise RecordingError("expected element geometry and frequency in the recording; use --array") from None
    for name in shipped_arrays():
        with contextlib.suppress(SpecificationError):
            channels_in_wavelengths(load_spec(name), measured)
            return name
    raise RecordingError(f"no shipped array has the {len(points)} elements of the recording; name one by --array")


def free_address() -> str:
    """The default address, or one on a free port where that is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(DEFAULT_ADDRESS.rpartition(":")[2])))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


def compile_flowgraph(name: str, folder: Path) -> Path:
    """Compile flowgraphs/NAME.grc by grcc; the Python script it gives. Raises DoamcError with grcc's words."""
    grc = ROOT / "flowgraphs" / f"{name}.grc"
    command = [str(Path(sys.executable).with_name("doamc")), "grcc", "-o", str(folder), str(grc)]
    with child(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as compiler:
        said, _ = compiler.communicate(timeout=300)
    script = folder / f"{name}.py"
    if compiler.returncode or not script.is_file():
        raise DoamcError(f"{grc.name} does not compile:\n{said[-2000:]}")
    return script


def flowgraph_options(options: argparse.Namespace) -> tuple[str, list[str]]:
    """Name of the flowgraph and the command-line options that it is run with."""
    common = ["--method", options.method] if options.method else []
    if options.recording is None:
        return "live_doa", [*common, *(["--seed", str(options.seed)] if options.seed is not None else [])]
    try:
        meta = json.loads(options.recording.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecordingError(f"expected a SigMF recording x.sigmf-meta, found {options.recording}: {error}") from error
    array = options.array or array_of(meta)
    sources = options.sources
    truth = truth_file(options.recording)
    if sources is None and truth is not None:
        sources = len(json.loads(truth.read_text(encoding="utf-8"))["azimuth_deg"])
    common += ["--recording", str(options.recording), "--array", array]
    return "replay_recording", common + (["--sources", str(sources)] if sources else [])


def truth_file(recording: Path | None) -> Path | None:
    """The truth file beside a recording, if there is one."""
    if recording is None:
        return None
    path = recording.with_name(recording.name.removesuffix(".sigmf-meta") + ".truth.json")
    return path if path.is_file() else None


def run(options: argparse.Namespace) -> int:
    """Compile, run the flowgraph and the watcher beside it, and end both."""
    name, arguments = flowgraph_options(options)
    address = options.address or free_address()
    watch = [sys.executable, "-m", "scripts.demo_watch", "--address", address, "--patience", str(START_UP_S)]
    watch += ["--out", str(options.out / name)]
    truth = truth_file(options.recording)
    watch += ["--truth", str(truth)] if truth else []
    with tempfile.TemporaryDirectory(prefix="doamc-demo-") as folder:
        script = compile_flowgraph(name, Path(folder))
        print(f"demo: running flowgraphs/{name}.grc for {options.duration:g} s, publishing on {address}", flush=True)
        errors = Path(folder) / "flowgraph.log"
        command = [sys.executable, str(script), "--address", address, "--duration", str(options.duration), *arguments]
        quiet = {"cwd": ROOT, "stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        with (
            errors.open("wb") as log,
            child(watch, cwd=ROOT) as watcher,
            child(command, stdout=log, **quiet) as flowgraph,
        ):
            try:
                code = flowgraph.wait(options.duration + START_UP_S)
            except KeyboardInterrupt:  # the terminal has told the children, too
                code = 0
            except subprocess.TimeoutExpired:
                code = -1
            end(flowgraph)
            if code:
                print(f"demo: the flowgraph ended with status {code}: {cause(errors)}", file=sys.stderr)
            watcher.send_signal(signal.SIGINT)
            seen = watcher.wait(60)
    return 2 if code else seen


def cause(log: Path) -> str:
    """What a flowgraph wrote at its end: the message alone where it is an error of ours."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    last = next((line for line in reversed(lines) if line.strip()), "it wrote nothing")
    return last.partition(": ")[2] if last.startswith("doamc.errors.") else "\n".join(lines[-30:])


def terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Leave by SystemExit, so that children and files are seen to; a second signal does not break into that."""
    for name in TERMINATE:
        signal.signal(name, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; exit status."""
    parser = argparse.ArgumentParser(description="Directions and coupling, live, from a simulation or a recording.")
    parser.add_argument("--recording", type=Path, help="SigMF recording (x.sigmf-meta) to replay")
    parser.add_argument("--array", help="array of the recording; default: the shipped one whose elements stand so")
    parser.add_argument("--sources", type=int, help="emitters in the recording; default: as its truth file tells")
    parser.add_argument("--method", help="estimator, see doamc methods; default: the flowgraph's")
    parser.add_argument("--duration", type=float, default=20.0, help="seconds to run (%(default)g)")
    parser.add_argument("--seed", type=int, help="seed of the simulation")
    parser.add_argument("--address", help=f"ZMQ address; default {DEFAULT_ADDRESS}, or a free port")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder of picture and log (%(default)s)")
    options = parser.parse_args(arguments)
    options.recording = options.recording.resolve() if options.recording else None
    options.out = options.out.resolve()
    for name in TERMINATE:
        if signal.getsignal(name) is not signal.SIG_IGN:  # as under nohup
            signal.signal(name, terminate)
    try:
        return run(options)
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 130
    except (DoamcError, subprocess.TimeoutExpired) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
