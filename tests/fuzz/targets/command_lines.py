"""Command lines: options of the parser with values that somebody may give, in an empty folder with a few files.

Refused in one line with exit status 2, or done; what would go on for ever is interrupted, as by Ctrl-C.
"""

import argparse
import contextlib
import io
import json
import os
import signal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import matplotlib.backends.backend_agg  # now: an import that is interrupted leaves half a module
import matplotlib.backends.backend_pdf
import matplotlib.backends.backend_svg
import matplotlib.figure  # noqa: F401
import numpy as np
import torch
import torch._dynamo

from doamc.cli import main, make_parser
from doamc.errors import DoamcError
from tests.doamc.estimates.mutations import estimate
from tests.fuzz.harness import Target
from tests.fuzz.targets.captures import WORLD

#: not tried: they start other programs, or change what lies outside the folder
LEFT_OUT = ("grc", "grcc")
#: what runs longer is interrupted, s
SOON_S = 1.0
ODD = (
    "", "0", "-1", "1", "2", "nan", "inf", "-inf", "1e300", "1e-320", "1e400", "18446744073709551616", "1000000000",
    "1099511627776", "0x10", "1_000", "٣", "9" * 5000, "x" * 300, "x\ny", "\x1b[2J", "\ud800", "é", "%s", "a,b", "1,1",
    "0,1", "=", "a=1", "@", "@1", ".", "..", "/dev/null", "/dev/zero", "/dev/full", "nowhere/x", "-", "--", "auto",
    "all", "none", "music:x=1", "em:prior=true", "em:samples=1e9", "ml:", ":", "uca5@1e9", "uca5@nan", "uca5@",
    "kraken5", "ula8", "seed16", "tcp://127.0.0.1:*", "tcp://x", "tcp://127.0.0.1:99999", "ipc://x", "inproc://x",
    "udp://127.0.0.1:1", "http://127.0.0.1:9/", "http://[", "file:///x", "in.npz", "in.sigmf-meta", "in.jsonl",
    "in.toml", "in.iq", "out.npz", "out.png", "out.jsonl", "out.sigmf-meta", "cuda", "meta", "cpu:99", "mps",
)  # fmt: skip
#: by the name of what is wanted: values that work, with the smallest amount of work
GOOD = {
    "array": ["uca5", "in.toml", "uca5@433e6"], "input": ["in.npz", "in.sigmf-meta", "in.iq", "in.jsonl"],
    "log": ["in.jsonl"], "method": ["music", "ml", "rare", "bartlett", "posterior", "map", "em:samples=2"],
    "methods": ["music", "ml", "all"], "sources": ["1", "2", "auto"], "snapshots": ["1", "8", "16"],
    "batches": ["1", "2"], "trials": ["1", "2"], "snr_db": ["0", "10", "-20"], "steps": ["1"], "minutes": ["0.001"],
    "draws": ["3"], "jobs": ["1"], "symbols": ["8"], "subcarriers": ["1"], "paths": ["1", "2"], "samples": ["64"],
    "frames": ["1"], "port": ["0"], "control_port": ["0"], "host": ["127.0.0.1"], "wait": ["0"], "count": ["1"],
    "timeout": ["0.1"], "rate": ["1e4"], "address": ["tcp://127.0.0.1:*"], "connect": ["tcp://127.0.0.1:9"],
    "recording": ["in.sigmf-meta"], "meta": ["in.sigmf-meta"], "device": ["cpu"], "threads": ["1"], "seed": ["0", "7"],
    "csv": ["out.csv"], "csv_log": ["table.csv"], "sqlite": ["out.sqlite"], "keep_rows": ["2"], "doa_value": ["0"],
    "mapper": ["0"], "allow_origin": ["http://localhost:3000"],
    "csv_latest": ["out1.csv"], "xml": ["out.xml"], "record": ["out.jsonl"], "keys": ["k"],
    "annotate": ["in.sigmf-meta"], "post": ["http://127.0.0.1:9/"], "name": ["k"], "recordings": ["."],
    "config": ["stations.toml"], "truth": ["in.json"], "datatype": ["cf32_le", "ci16_le", "ci8"], "channels": ["5"],
    "frequency": ["433e6"], "sample_rate": ["1e3"], "missing": ["1"], "waveform": ["gaussian", "qpsk", "coherent"],
    "azimuth_deg": ["10"], "fault": ["drop=0.1"], "stall": ["0.1"], "restart": ["0.1"], "grid_deg": ["20"],
    "noise_power": ["0.1"], "heading": ["10"], "latitude": ["48"], "longitude": ["11"], "rx": ["ula4"], "tx": ["ula4"],
    "strength": ["0", "0.5"], "directional": ["0", "0.1"], "coupling": ["out.npz"], "token": ["a-long-token-of-32-xx"],
    "source": ["krakensdr://127.0.0.1:9"], "gain": ["20", "auto"], "settling": ["0"], "duration": ["0.1"],
    "plot": ["out.png"], "prior": ["out.prior.safetensors"],
}  # fmt: skip
OUT = {
    "simulate": ["out.npz", "out.sigmf-meta"],
    "record": ["out.sigmf-meta"],
    "plot": ["out.png", "out.svg"],
    "train": ["out.safetensors"],
}
#: always said, since without them a command works for minutes
ALWAYS = {"train": ["--steps=1", "--threads=1"], "antenna": ["--draws=2", "--jobs=1"]}


@cache
def commands() -> dict[str, list[argparse.Action]]:
    """Names of the commands and what each takes."""
    subparsers = next(a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    kinds = {name: parser._actions for name, parser in subparsers.choices.items()}
    return {name: [a for a in actions if a.dest != "help"] for name, actions in kinds.items() if name not in LEFT_OUT}


def draw(random: Random) -> bytes:
    """Words, as JSON."""
    command = random.choice(sorted(commands()))
    rude = random.choice([0.0, 0.1, 0.3, 0.6])
    words: list[str] = [*ALWAYS.get(command, [])]
    for action in commands()[command]:
        needed = action.required or not action.option_strings
        if random.random() > (0.97 if needed else 0.2):
            continue
        name = random.choice(action.option_strings) if action.option_strings else None
        many = random.randint(1, 3) if action.nargs == "+" else 1
        values = [_value(command, action, random, rude) for _ in range(many)]
        if name is None:
            words += values
        elif action.nargs == 0:
            words.append(name)
        elif action.nargs == "+" or not name.startswith("--"):
            words += [name, *values]
        else:
            words.append(f"{name}={values[0]}")
    return json.dumps([command, *words]).encode()


def _value(command: str, action: argparse.Action, random: Random, rude: float) -> str:
    if random.random() < rude:
        return random.choice(ODD)
    if action.choices:
        return str(random.choice(list(action.choices)))
    good = OUT.get(command, ["out.npz"]) if action.dest == "out" else GOOD.get(action.dest, ["1"])
    return random.choice(good)


def files(folder: Path) -> None:
    """What the command lines speak of."""
    y = np.random.default_rng(1).standard_normal((2, 5, 16, 2)).astype(np.float32).view(np.complex64)[..., 0]
    np.savez(folder / "in.npz", snapshots=y)
    raw = np.ascontiguousarray(np.concatenate(list(y), -1).T).tobytes()
    (folder / "in.iq").write_bytes(raw)
    (folder / "in.sigmf-data").write_bytes(raw)
    world = WORLD | {"core:datatype": "cf32_le", "core:num_channels": 5, "core:sample_rate": 1e3}
    meta = {"global": world, "captures": [{"core:sample_start": 0, "core:frequency": 1e8}], "annotations": []}
    (folder / "in.sigmf-meta").write_text(json.dumps(meta))
    (folder / "in.jsonl").write_text("".join(json.dumps(estimate(seq)) + "\n" for seq in (1, 2)))
    (folder / "in.json").write_text('{"azimuth_deg": [1.0, 2.0, 3.0]}')
    (folder / "stations.toml").write_text('[[receiver]]\nname = "a"\nconnect = "tcp://127.0.0.1:9"\n')
    (folder / "in.toml").write_text(
        'name = "mine"\n[geometry]\nkind = "uca"\nelements = 5\nradius_m = 0.24\n[sector]\n'
        'azimuth_deg = [0.0, 360.0]\n[coupling]\nfamily = "circulant"\nmagnitude = [[0.2, 0.5], [0.1, 0.3]]\n'
    )


def use(data: bytes, folder: Path) -> None:
    """Run it; an interrupted one counts as done."""
    words = json.loads(data)
    place = folder / "work"
    place.mkdir()
    files(place)
    before, threads = Path.cwd(), torch.get_num_threads()
    kept = {k: os.environ.get(k) for k in ("XDG_DATA_HOME", "HOME")}
    os.environ.update(dict.fromkeys(kept, str(place)))
    os.chdir(place)
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), interrupted(SOON_S):
            status: Any = main(words)
    except SystemExit as end:
        status = end.code
    finally:
        os.chdir(before)
        torch.set_num_threads(threads)
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
    told = err.getvalue()
    assert status in (0, 2, 130), (status, told)
    assert "not enough memory" not in told, told
    if status == 2:
        line = told.splitlines()[-1] if told else ""
        assert line.startswith("doamc: error: ") and told.count("doamc: error: ") == 1 and len(line) < 600, told
        raise DoamcError(line)


@contextlib.contextmanager
def interrupted(after_s: float) -> Any:
    """Ctrl-C after a while, unless the block has ended; the time that the harness allows is less what has passed."""
    handler, (left_s, _) = signal.getsignal(signal.SIGALRM), signal.setitimer(signal.ITIMER_REAL, after_s)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it

    def ring(number: int, frame: object) -> None:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, left_s)
        signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGALRM, ring)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, left_s)


TARGETS = (Target("command-line", draw, use),)
