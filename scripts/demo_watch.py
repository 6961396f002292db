"""The demo's subscriber: a live table of what comes over ZMQ, and at the end a picture and a JSON-lines log.

    .venv/bin/python -m scripts.demo_watch --address tcp://127.0.0.1:5577 --out out/live

watches until interrupted, then writes out/live.png and out/live.jsonl. Exit status 2 when no estimate came.
"""

import argparse
import math
import os
import signal
import sys
import time
from collections import deque
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from doamc.errors import DoamcError
from doamc.estimates import DEFAULT_ADDRESS, Recorder, Subscriber
from scripts.demo_truth import TRUTH_TOPIC, Truth, coupling_error_db, coupling_matrix, match, message_time, wrap_deg

TOPICS = ("doamc.estimate", "doamc.status", TRUTH_TOPIC)
RATE_WINDOW_S = 2.0


class Watch:
    """What has been received so far, and the figures that the table shows."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.estimates: list[dict[str, Any]] = []
        #: the estimate of the latest batch; the one received last may have caught up with an older one
        self.newest: dict[str, Any] = {}
        self.status: dict[str, Any] = {}
        self._recent: deque[tuple[float, float]] = deque()

    def take(self, topic: str, message: dict[str, Any]) -> None:
        """Take in one message."""
        if topic == "doamc.estimate":
            self.estimates.append(message)
            if not self.newest or message_time(message) >= message_time(self.newest):
                self.newest = message
            self._recent.append((time.monotonic(), message["latency_ms"]["total"] or math.nan))
        elif topic == TRUTH_TOPIC:
            self.truth.add(message)
        else:
            self.status = message

    def rows(self, message: dict[str, Any]) -> list[tuple[float, float, float, float, float]]:
        """Azimuth, error bar, power, true azimuth and true power of every source of an estimate; NaN where unknown."""
        azimuth = np.array([s["azimuth_deg"] for s in message["sources"]], dtype=float)
        bar, power = (
            np.array([math.nan if s[k] is None else s[k] for s in message["sources"]]) for k in ("std_deg", "power_db")
        )
        pairs: list[int | None] = [None] * len(azimuth)
        true = np.zeros(0)
        if self.truth.known:
            true = self.truth.azimuth_deg(message_time(message))
            pairs = match(azimuth, true)
        blank = (math.nan, math.nan)
        known = [blank if k is None else (float(true[k]), float(self.truth.power_db[k])) for k in pairs]
        return [(*own, *k) for own, k in zip(zip(azimuth, bar, power, strict=True), known, strict=True)]

    def figures(self, lost: int) -> dict[str, float]:
        """Rate, median latency, coupling error of the newest estimate, losses on the wire and in the engine."""
        now = time.monotonic()
        while self._recent and self._recent[0][0] < now - RATE_WINDOW_S:
            self._recent.popleft()
        times, latencies = [t for t, _ in self._recent], [v for _, v in self._recent if v == v]
        return {
            "rate": (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0,
            "latency_ms": float(np.median(latencies)) if latencies else math.nan,
            "coupling_db": coupling_error_db(coupling_matrix(self.newest), self.truth.coupling),
            "lost": lost,
            "dropped": self.estimates[-1]["dropped_batches"],
        }

    def summary(self, lost: int) -> str:
        """One line about the whole run."""
        errors = [float(wrap_deg(np.array(r[0] - r[3]))) for m in self.estimates for r in self.rows(m)]
        errors = [e for e in errors if e == e]
        couplings = [coupling_error_db(coupling_matrix(m), self.truth.coupling) for m in self.estimates]
        latencies = [m["latency_ms"]["total"] for m in self.estimates if m["latency_ms"]["total"] is not None]
        parts = [f"{len(self.estimates)} estimates by {self.estimates[-1]['method']}"]
        if errors:
            parts.append(f"azimuth error {np.sqrt(np.mean(np.square(errors))):.2f} deg RMS")
            parts.append(f"{np.median(np.abs(errors)):.2f} deg median")
        if np.isfinite(couplings).any():
            parts.append(f"coupling error {np.nanmedian(couplings):.1f} dB median")
        if latencies:
            parts.append(f"latency {np.median(latencies):.1f} ms median")
        parts.append(f"lost {lost}, dropped {self.estimates[-1]['dropped_batches']}")
        return ", ".join(parts)


def text(value: float, form: str, unit: str = "") -> str:
    """A figure with its unit, or a dash where it is not known."""
    return "-" if value != value else format(value, form) + unit


def table(watch: Watch, lost: int, elapsed_s: float) -> Group:
    """The live table: one row a source, one line of figures below."""
    newest, f = watch.newest, watch.figures(lost)
    title = f"{newest['array']}, method {newest['method']}, estimate {newest['seq']}"
    grid = Table(title=title, title_justify="left", title_style="bold")
    for name, style in (("azimuth", "bold cyan"), ("± 1 sd", "cyan"), ("truth", "green"), ("error", "yellow"),
                        ("power", "magenta"), ("true power", "green")):
        grid.add_column(name, style=style, justify="right", min_width=10)
    for azimuth, bar, power, true, true_power in watch.rows(newest):
        error = float(wrap_deg(np.array(azimuth - true)))
        grid.add_row(
            f"{azimuth:+.2f}°", text(bar, ".2f", "°"), text(true, "+.2f", "°"), text(error, "+.2f", "°"),
            text(power, "+.1f", " dB"), text(true_power, "+.1f", " dB"),
        )  # fmt: skip
    line = Text.assemble(
        f"{elapsed_s:5.1f} s   ", ("coupling error ", "dim"), (text(f["coupling_db"], ".1f", " dB"), "bold"),
        ("   rate ", "dim"), f"{f['rate']:.1f}/s", ("   latency ", "dim"), text(f["latency_ms"], ".1f", " ms"),
        ("   lost ", "dim"), f"{f['lost']}", ("   dropped ", "dim"), f"{f['dropped']}",
    )
    problem = watch.status.get("last_error")
    return Group(grid, line, Text(f"last error: {problem}", style="red") if problem else Text(""))


def plain(watch: Watch, lost: int, elapsed_s: float) -> str:
    """The same on one line, for a log or a pipe."""
    f = watch.figures(lost)
    cells = [
        f"{a:+7.2f} ± {text(b, '.2f')} deg (truth {text(t, '+.2f')}) {text(p, '+.1f')} dB"
        for a, b, p, t, _ in watch.rows(watch.newest)
    ]
    return (
        f"{elapsed_s:5.1f} s | {' | '.join(cells) or 'no source'} | coupling error {text(f['coupling_db'], '.1f')} dB"
        f" | {f['rate']:.1f}/s, latency {text(f['latency_ms'], '.1f')} ms, lost {f['lost']}, dropped {f['dropped']}"
    )


def watch_until(stop: list[int], watch: Watch, subscriber: Subscriber, log: Recorder, patience_s: float) -> None:
    """Receive, log and show until `stop` fills. Raises TimeoutError when no estimate comes in patience_s."""
    console = Console()
    began = first = shown = time.monotonic()
    told = 0
    live = Live(console=console, auto_refresh=False) if console.is_terminal else None
    with live or nullcontext():
        while not stop:
            item = subscriber.receive(0.1)
            now = time.monotonic()
            if item is not None:
                if item[0] == "doamc.estimate" and not watch.estimates:
                    first, shown = now, now - 1.0
                watch.take(*item)
                if item[0] in ("doamc.estimate", TRUTH_TOPIC):
                    log.write(item[1])
            if not watch.estimates:
                if now - began > patience_s:
                    problem = watch.status.get("last_error") or "none was told"
                    raise TimeoutError(f"no estimate came in {patience_s:g} s; last error: {problem}")
            elif live is not None and now - shown >= 0.1:
                live.update(table(watch, subscriber.lost, now - first), refresh=True)
                shown = now
            elif live is None and now - shown >= 1.0 and len(watch.estimates) > told:
                print(plain(watch, subscriber.lost, now - first), flush=True)
                shown, told = now, len(watch.estimates)


def main(arguments: list[str] | None = None) -> int:
    """Watch, then write; exit status 0, or 2 with one line on stderr when no estimate came."""
    parser = argparse.ArgumentParser(description="Live table of estimates received over ZMQ; Ctrl-C ends it.")
    parser.add_argument("--address", default=DEFAULT_ADDRESS, help="where the publisher listens (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("out/watch"), help="path of the outputs, without ending")
    parser.add_argument("--truth", type=Path, help="truth file of a recording; else truth messages are used")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds to wait for the first estimate")
    options = parser.parse_args(arguments)
    stop: list[int] = []
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, frame: stop.append(number))
    watch = Watch(Truth.of_file(options.truth) if options.truth else Truth())
    options.out.parent.mkdir(parents=True, exist_ok=True)
    log_path, picture_path = (options.out.with_name(options.out.name + e) for e in (".jsonl", ".png"))
    part = log_path.with_suffix(".jsonl.part")
    part.unlink(missing_ok=True)
    try:
        with Subscriber(options.address, topics=TOPICS) as subscriber, Recorder(part) as log:
            watch_until(stop, watch, subscriber, log, options.patience)
            lost = subscriber.lost
        if not watch.estimates:
            raise TimeoutError("no estimate came before the end")
    except (DoamcError, TimeoutError) as error:
        part.unlink(missing_ok=True)
        print(f"demo: {error}", file=sys.stderr)
        return 2
    os.replace(part, log_path)
    from scripts.demo_picture import draw  # late: matplotlib is slow to import and the first estimates must not wait

    draw(watch, picture_path)
    print(f"\n{watch.summary(lost)}\npicture: {picture_path}\nlog:     {log_path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
