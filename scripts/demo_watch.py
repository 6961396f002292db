"""The demo's subscriber: a live table of what comes over ZMQ, and at the end a picture and a JSON-lines log.

    .venv/bin/python -m scripts.demo_watch --address tcp://127.0.0.1:5577 --out out/live

watches until interrupted, then writes out/live.png and out/live.jsonl. Exit status 2 when no estimate came.
"""

import argparse
import os
import signal
import sys
import time
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console
from rich.live import Live

from doamc.errors import DoamcError
from doamc.estimates import Recorder, Subscriber
from doamc.estimates.truth import Truth
from doamc.estimates.truth_files import read_truth
from doamc.files.atomic import make_folder
from doamc.protocol import DEFAULT_ADDRESS, ESTIMATE_TOPIC, STATUS_TOPIC, TRUTH_TOPIC, WAVEFORMS_TOPIC
from scripts.demo_run import Watch
from scripts.demo_table import plain, table

TOPICS = (ESTIMATE_TOPIC, STATUS_TOPIC, TRUTH_TOPIC, WAVEFORMS_TOPIC)


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
                if item[0] == ESTIMATE_TOPIC and not watch.estimates:
                    first, shown = now, now - 1.0
                watch.take(*item)
                if item[0] in (ESTIMATE_TOPIC, TRUTH_TOPIC):
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


def end(stop: list[int], number: int) -> None:
    """Have the watch end; when the terminal has gone, write no more to it."""
    stop.append(number)
    if number == signal.SIGHUP:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nowhere, stream)


def main(arguments: list[str] | None = None) -> int:
    """Watch, then write; exit status 0, or 2 with one line on stderr when no estimate came."""
    parser = argparse.ArgumentParser(description="Live table of estimates received over ZMQ; Ctrl-C ends it.")
    parser.add_argument("--address", default=DEFAULT_ADDRESS, help="where the publisher listens (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("out/watch"), help="path of the outputs, without ending")
    parser.add_argument("--truth", type=Path, help="truth file of a recording; else truth messages are used")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds to wait for the first estimate")
    options = parser.parse_args(arguments)
    stop: list[int] = []
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda number, frame: end(stop, number))
    log_path, picture_path = (options.out.with_name(options.out.name + e) for e in (".jsonl", ".png"))
    part = log_path.with_suffix(".jsonl.part")
    try:
        watch = Watch(read_truth(options.truth) if options.truth else Truth())
        make_folder(log_path)
        part.unlink(missing_ok=True)
        with Subscriber(options.address, topics=TOPICS) as subscriber, Recorder(part) as log:
            watch_until(stop, watch, subscriber, log, options.patience)
            lost = subscriber.lost
        if not watch.estimates:
            raise TimeoutError("no estimate came before the end")
        os.replace(part, log_path)
        from scripts.demo_picture import draw  # late: matplotlib is slow to import; the first estimates must not wait

        draw(watch, picture_path)
    except (DoamcError, TimeoutError) as error:
        part.unlink(missing_ok=True)
        print(f"demo: {error}", file=sys.stderr)
        return 2
    print(f"\n{watch.summary(lost)}\npicture: {picture_path}\nlog:     {log_path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
