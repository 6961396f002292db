"""Estimates that others made, from a log or over ZMQ, passed on to other outputs."""

import argparse
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doamc.cli.keys import open_publisher
from doamc.cli.outputs import open_outputs, place_of, report
from doamc.cli.remarks import tell
from doamc.cli.servers import announce
from doamc.cli.waiting import QUIET_S, Waiting
from doamc.errors import PublishError
from doamc.protocol import ESTIMATE_SCHEMA, ESTIMATE_TOPIC

if TYPE_CHECKING:
    from doamc.estimates import Subscriber
    from doamc.spec import Mount


#: arguments that say how samples are read and estimated
_OF_SAMPLES = (
    "method", "sources", "noise_power", "snapshots", "batches", "datatype", "channels", "sample_rate", "frequency",
    "ignore_positions", "loop",
)  # fmt: skip


def is_relayed(name: str) -> bool:
    """Whether an input holds estimates already: a JSON-lines file or a ZMQ address."""
    return name.startswith(("tcp://", "ipc://")) or Path(name).suffix == ".jsonl"


def relay(args: argparse.Namespace) -> int:
    """Pass on the estimates of ``args.input`` until it ends, they are counted out, or none comes in time."""
    from doamc.estimates.orientation import mounted, oriented, placed

    for name in _OF_SAMPLES:
        if getattr(args, name) not in (None, False):
            raise PublishError(
                f"expected --{name.replace('_', '-')} beside samples, found estimates, which are passed on as they "
                "are; leave it out"
            )
    mount, place = _mount(args.array), place_of(args)
    with ExitStack() as stack:
        publisher = stack.enter_context(open_publisher(args, args.address)) if args.address else None
        outputs = stack.enter_context(open_outputs(args, publisher))
        if not outputs.outputs:
            raise PublishError("expected an output (--csv, --doa-value, --sqlite, --address, ...), found none")
        if publisher is not None:
            print(f"publishing on {publisher.address}", flush=True)
        if announce(outputs) or publisher is not None:
            time.sleep(args.wait)
        try:
            for message in _messages(args):
                heading = mounted(message, mount) if args.heading is None else args.heading
                outputs.write(placed(oriented(message, heading), place))
                if args.count and outputs.taken >= args.count:
                    break
        finally:
            outputs.close()
            print(f"passed on {outputs.taken} estimates{report(outputs)}", flush=True)
    if not outputs.taken:
        raise PublishError(f"expected estimates from {args.input}, found none")
    outputs.check()
    return 0


def _mount(array: str | None) -> "Mount | None":
    """How the array stands by its specification, where one is named; estimates that are passed on need none."""
    if array is None:
        return None
    from doamc.spec import load_spec

    return load_spec(array, tunable=True).mount


def _messages(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from doamc.estimates import Subscriber

    if Path(args.input).suffix == ".jsonl":
        yield from _recorded(args.input, args.rate)
        return
    with Subscriber(
        args.input, args.timeout, topics=(ESTIMATE_TOPIC,), server_key=args.server_key,
        keys=args.keys if args.server_key else None,
    ) as subscriber:  # fmt: skip
        try:
            yield from _heard(subscriber, args.timeout)
        finally:
            _tell_losses(subscriber)


def _heard(subscriber: "Subscriber", timeout_s: float | None) -> Iterator[dict[str, Any]]:
    """Estimates of a publisher, until none comes for so long; that none has come yet is told."""
    waiting = Waiting(subscriber, timeout_s)
    while True:
        item = subscriber.receive(QUIET_S if timeout_s is None else timeout_s)
        waiting.look(item is not None)
        if item is not None:
            yield item[1]
        elif timeout_s is not None:
            return


def _recorded(path: str, rate: float | None) -> Iterator[dict[str, Any]]:
    """Estimates of a log, at a pace or as fast as it goes; what does not follow the schema is passed over and told."""
    from doamc.estimates import read_records, validate

    due = time.monotonic()
    passed_over, fault = 0, ""

    def refused(error: PublishError) -> None:
        nonlocal passed_over, fault
        passed_over, fault = passed_over + 1, str(error)

    try:
        for message in read_records(path, refused):
            if message["schema"] != ESTIMATE_SCHEMA:
                continue
            try:
                validate(message)
            except PublishError as error:
                refused(error)
                continue
            if rate:
                time.sleep(max(0.0, due - time.monotonic()))
                due += 1.0 / rate
            yield message
    finally:
        _tell_passed_over(passed_over, fault)


def _tell_passed_over(count: int, fault: str | None) -> None:
    if count:
        tell(f"passed over {count} messages; the last: {fault}")


def _tell_losses(subscriber: "Subscriber") -> None:
    """Say what did not arrive as it should."""
    _tell_passed_over(subscriber.malformed, subscriber.fault)
    if subscriber.refused:
        tell(f"refused by {subscriber.address} {subscriber.refused} times; are the keys right?")
