"""``doamc monitor``: what a publisher sends, live in the terminal."""

import argparse
import io
import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from doamc.cli.keys import add_reader_arguments
from doamc.cli.logs import add_log_arguments, open_logs
from doamc.cli.options import add_heading_argument, seconds, whole
from doamc.cli.remarks import tell
from doamc.cli.waiting import Waiting, trouble
from doamc.errors import PublishError
from doamc.protocol import DEFAULT_ADDRESS, ESTIMATE_TOPIC, SIGNAL_TOPIC, STATUS_TOPIC

if TYPE_CHECKING:
    from doamc.estimates import Subscriber
    from doamc.estimates.fan_out import Outputs

#: s between two drawings, at least and at most
_SOONEST, _LATEST = 0.1, 0.5


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "monitor",
        help="show the estimates, or the signals, of a publisher live",
        description="Reads doamc publish or a flowgraph with a zmq_publisher until it is interrupted, and draws what "
        "comes on the terminal; into a pipe or a file, a table of each estimate.",
    )
    parser.add_argument("address", nargs="?", default=DEFAULT_ADDRESS, help="default %(default)s")
    parser.add_argument("--once", action="store_true", help="end after one estimate, or message of a signal")
    parser.add_argument("--count", type=whole(1), metavar="N", help="end after N of them")
    parser.add_argument("--timeout", type=seconds, metavar="S", help="fail when no estimate comes for so long")
    parser.add_argument("--json", action="store_true", help="print each as one line of JSON")
    add_log_arguments(parser)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--compass", dest="kind", action="store_const", const="compass", default="compass",
                      help="bearings clockwise from north, where the heading is known (default)")  # fmt: skip
    kind.add_argument("--azimuth", dest="kind", action="store_const", const="math",
                      help="azimuths counter-clockwise from the array's +x axis")  # fmt: skip
    add_heading_argument(parser, "that of the estimates")
    add_reader_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show estimates until interrupted, counted out or timed out."""
    from doamc.estimates import Subscriber

    with ExitStack() as stack:
        subscriber = stack.enter_context(
            Subscriber(
                args.address, topics=(ESTIMATE_TOPIC, SIGNAL_TOPIC, STATUS_TOPIC), server_key=args.server_key,
                keys=args.keys,
            )
        )  # fmt: skip
        screen = None if args.json else _Screen(subscriber, args)
        # on a screen that is drawn anew all the time, the count of what is lost tells
        logs = stack.enter_context(open_logs(args, _ignore if screen is not None and screen.live else tell))
        quiet = screen is not None and screen.live and not args.once  # what it draws says that nothing comes
        waiting = None if quiet else Waiting(subscriber, args.timeout)
        messages = _messages(subscriber, 1 if args.once else args.count, args.timeout, args.heading, logs, waiting)
        if screen is not None:
            screen.logs = logs
            screen.run(messages)
        else:
            for item in messages:
                if item is not None and item[0] in (ESTIMATE_TOPIC, SIGNAL_TOPIC):
                    print(json.dumps(item[1]), flush=True)
    logs.check()
    return 0


def _ignore(sentence: str) -> None:
    """Take a sentence that nobody is to be told."""


def _messages(
    subscriber: "Subscriber",
    count: int | None,
    timeout_s: float | None,
    heading_deg: float | None,
    logs: "Outputs",
    waiting: Waiting | None,
) -> Iterator[tuple[str, dict[str, Any]] | None]:
    """Topics and messages; None when none came for a while. Ends after `count` estimates.

    heading_deg: turns them, where one is told. waiting: says that nothing comes, where somebody is to say so.
    """
    from doamc.estimates.orientation import oriented

    last, left = time.monotonic(), count
    while left is None or left > 0:
        wait = _LATEST if timeout_s is None else min(_LATEST, last + timeout_s - time.monotonic())
        if wait <= 0:
            why = trouble(subscriber) or "is it publishing?"
            raise PublishError(
                f"expected estimates from {subscriber.address}, found none within {timeout_s:g} s; {why}"
            )
        item = subscriber.receive(wait)
        if item is not None and item[0] in (ESTIMATE_TOPIC, SIGNAL_TOPIC):
            last, left = time.monotonic(), None if left is None else left - 1
            item = item[0], item[1] if heading_deg is None else oriented(item[1], heading_deg)
            if item[0] == ESTIMATE_TOPIC:
                logs.write(item[1])
        if waiting is not None:
            waiting.look(item is not None and item[0] in (ESTIMATE_TOPIC, SIGNAL_TOPIC))
        yield item


class _Screen:
    """What the messages add up to, drawn on a terminal or printed into a log."""

    def __init__(self, subscriber: "Subscriber", args: argparse.Namespace) -> None:
        from rich.console import Console

        from doamc.views import Convention, Health, Reading, SourceNumbering
        from doamc.views.band import Band
        from doamc.views.canvas import WITHOUT_UNICODE

        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors=WITHOUT_UNICODE)
        self.console = Console()
        self.live = self.console.is_terminal and not self.console.is_dumb_terminal
        self.subscriber, self.once = subscriber, args.once
        self.convention = Convention(args.kind)
        self.health, self.numbering = Health(), SourceNumbering()
        self.reading: Reading | None = None
        self.numbers: list[int] = []
        self.band = Band()
        self.logs: Outputs | None = None

    def run(self, messages: Iterator[tuple[str, dict[str, Any]] | None]) -> None:
        """Show them until they end."""
        from rich.live import Live

        if not self.live or self.once:
            for item in messages:
                if self.take(item):
                    self.console.print(self.render() if self.live else self.table())
            return
        drawn = -1e9
        try:
            with Live(self.render(), console=self.console, auto_refresh=False, screen=True) as live:
                for item in messages:
                    self.take(item)
                    if time.monotonic() - drawn >= _SOONEST:
                        live.update(self.render(), refresh=True)
                        drawn = time.monotonic()
        finally:  # interrupted, too: the last picture stays on the terminal
            if self.reading is not None or self.band.heard:
                self.console.print(self.render())

    def take(self, item: tuple[str, dict[str, Any]] | None) -> bool:
        """Take in a message; whether it was an estimate, or of a signal."""
        from doamc.views import read_estimate

        if item is None:
            return False
        topic, message = item
        self.health.take(topic, message)
        if topic == SIGNAL_TOPIC:
            self.band.take(message)
            return True
        if topic != ESTIMATE_TOPIC:
            return False
        self.reading = read_estimate(message)
        self.numbers = self.numbering.assign(self.reading.time_s, self.reading.azimuth_deg)
        return True

    @property
    def losses(self) -> dict[str, int]:
        """Counts of what did not arrive as it should."""
        s = self.subscriber
        counts = {"lost": s.lost, "unusable": s.malformed, "restarts": s.restarts, "disconnected": s.disconnected}
        return counts | {"not logged": 0 if self.logs is None else sum(self.logs.lost.values())}

    def render(self) -> Any:
        """All of it, for a terminal."""
        if self.band.heard:
            from doamc.views.terminal_band import band_screen

            return band_screen(
                self.band, self.convention, self.health, self.losses, self.subscriber.address, self.console.height,
                trouble(self.subscriber),
            )  # fmt: skip
        from doamc.views.terminal import screen

        size = (self.console.width, self.console.height)
        return screen(
            self.reading, self.numbers, self.convention, self.health, self.losses, self.subscriber.address, size,
            trouble(self.subscriber),
        )  # fmt: skip

    def table(self) -> Any:
        """The newest estimate, for a log."""
        from rich import box

        from doamc.views.terminal import sources_table, summary

        if self.band.heard:
            from doamc.views.terminal_band import signals_table

            return signals_table(self.band, self.convention, len(self.band.signals()))
        if self.reading is None:
            return ""
        convention = self.convention.of(self.reading.heading_deg)
        table = sources_table(self.reading, self.numbers, convention, len(self.numbers) + 1)
        table.box, table.padding = box.HEAVY_HEAD, (0, 1, 0, 1)
        table.min_width = 60  # of the caption
        words = summary(self.reading, convention, self.health, self.losses)
        table.title, table.caption = words["title"], words["caption"]
        return table
