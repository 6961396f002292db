"""``doamc monitor``: what a publisher sends, live in the terminal."""

import argparse
import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from doamc.cli.options import positive, whole

if TYPE_CHECKING:
    from rich.table import Table

    from doamc.estimates import Subscriber


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("monitor", help="show the estimates of a publisher live")
    parser.add_argument("address", nargs="?", default="tcp://127.0.0.1:5577", help="default tcp://127.0.0.1:5577")
    parser.add_argument("--once", action="store_true", help="end after one estimate")
    parser.add_argument("--count", type=whole(1), metavar="N", help="end after N estimates")
    parser.add_argument("--timeout", type=positive, metavar="S", help="fail when no estimate comes for so long")
    parser.add_argument("--json", action="store_true", help="print every estimate as one line of JSON")
    parser.add_argument("--record", metavar="FILE.jsonl", help="also append every estimate to this file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show estimates until interrupted, counted out or timed out."""
    from doamc.estimates import Recorder, Subscriber

    with ExitStack() as stack:
        subscriber = stack.enter_context(Subscriber(args.address))
        record = stack.enter_context(Recorder(args.record)) if args.record else None
        messages = _estimates(subscriber, 1 if args.once else args.count, args.timeout)
        if args.json:
            for message in _recorded(messages, record):
                print(json.dumps(message), flush=True)
            return 0
        _show(_recorded(messages, record), subscriber)
    return 0


def _estimates(subscriber: "Subscriber", count: int | None, timeout_s: float | None) -> Iterator[dict[str, Any]]:
    from doamc.errors import PublishError
    from doamc.estimates.message import ESTIMATE_TOPIC

    last = time.monotonic()
    left = count
    while left is None or left > 0:
        wait = None if timeout_s is None else last + timeout_s - time.monotonic()
        item = subscriber.receive(wait) if wait is None or wait > 0 else None
        if item is None:
            raise PublishError(
                f"expected estimates from {subscriber.address}, found none within {timeout_s:g} s; is it publishing?"
            )
        if item[0] == ESTIMATE_TOPIC:
            last = time.monotonic()
            left = None if left is None else left - 1
            yield item[1]


def _recorded(messages: Iterator[dict[str, Any]], record: Any) -> Iterator[dict[str, Any]]:
    for message in messages:
        if record is not None:
            record.write(message)
        yield message


def _show(messages: Iterator[dict[str, Any]], subscriber: "Subscriber") -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console()
    arrivals: deque[float] = deque(maxlen=50)
    if not console.is_terminal:  # a log: one table an estimate
        for message in messages:
            arrivals.append(time.monotonic())
            console.print(estimate_table(message, arrivals, subscriber.lost))
        return
    with Live(console=console, auto_refresh=False) as live:
        for message in messages:
            arrivals.append(time.monotonic())
            live.update(estimate_table(message, arrivals, subscriber.lost), refresh=True)


def estimate_table(message: dict[str, Any], arrivals: deque[float], lost: int) -> "Table":
    """Table of one estimate: a row a source; array, method, rate, latency and losses around it."""
    from rich.table import Table

    span = arrivals[-1] - arrivals[0]
    rate = f"{(len(arrivals) - 1) / span:.1f}/s" if span > 0 else "-"
    total = message["latency_ms"]["total"]
    table = Table(
        title=f"{message['array']}, {message['method']}, estimate {message['seq']}",
        caption=f"rate {rate}, latency {_text(total, '.1f')} ms, lost {lost}, dropped {message['dropped_batches']}",
    )
    for column in ("source", "azimuth / deg", "std / deg", "power / dB"):
        table.add_column(column, justify="right")
    for i, source in enumerate(message["sources"]):
        values = (source["azimuth_deg"], source["std_deg"], source["power_db"])
        table.add_row(str(i + 1), *(_text(v, f) for v, f in zip(values, ("+.2f", ".2f", "+.1f"), strict=True)))
    return table


def _text(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
