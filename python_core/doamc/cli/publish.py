"""``doamc publish``: estimates of an input, or made by others, to ZMQ and to what map tools read."""

import argparse
import time
from typing import TYPE_CHECKING, Any

from doamc.cli.array_of_input import array_of_input
from doamc.cli.capture_options import add_capture_arguments, capture_form
from doamc.cli.keys import add_publisher_arguments, add_reader_arguments, open_publisher
from doamc.cli.options import add_estimator_arguments, between, seconds, whole
from doamc.cli.outputs import add_output_arguments, open_outputs, place_of, report
from doamc.cli.relay import is_relayed, relay
from doamc.cli.servers import announce
from doamc.errors import PublishError
from doamc.protocol import DEFAULT_ADDRESS

if TYPE_CHECKING:
    from doamc.estimates import Publisher
    from doamc.estimates.fan_out import Outputs


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "publish",
        help="publish estimates over ZMQ and in the KrakenSDR's formats",
        description="Snapshots are estimated batch by batch, paced, and published over ZMQ; a batch that cannot be "
        "used is counted and told as a status. Estimates (.jsonl, or the ZMQ address of a publisher) are passed on.",
    )
    add_estimator_arguments(parser, made=True)
    add_capture_arguments(parser)
    parser.add_argument(
        "--address", help=f"ZMQ endpoint to bind (default {DEFAULT_ADDRESS}; none where estimates are passed on)"
    )
    parser.add_argument(
        "--rate", type=between(1e-6, 1e6), metavar="R",
        help="pace, batches a second (default: the sample rate; 10 for an .npz; as fast as it goes for a .jsonl)",
    )  # fmt: skip
    parser.add_argument("--wait", type=between(0, 3600), default=0.5, metavar="S",
                        help="time for subscribers and clients to connect (0.5 s)")  # fmt: skip
    parser.add_argument("--loop", action="store_true", help="begin anew at the end, until interrupted")
    parser.add_argument("--count", type=whole(1), metavar="N", help="end after N estimates")
    parser.add_argument("--timeout", type=seconds, metavar="S", help="end when no estimate comes for so long (ZMQ)")
    add_publisher_arguments(parser)
    add_reader_arguments(parser, keys=False)
    add_output_arguments(parser)
    parser.set_defaults(run=run)


class _Live:
    """Who takes what a replay makes: all outputs the estimates, the publisher the status."""

    def __init__(self, publisher: "Publisher", outputs: "Outputs") -> None:
        self.estimate, self.status = outputs.write, publisher.status


def run(args: argparse.Namespace) -> int:
    """Publish until the input ends.

    Raises the last error when not one batch could be estimated, and PublishError when an output lost estimates.
    """
    if is_relayed(args.input):
        return relay(args)
    if args.timeout is not None:
        raise PublishError(f"expected --timeout beside a publisher's address, found {args.input}; leave it out")
    import torch

    from doamc.cli.inputs import open_input
    from doamc.cli.remarks import warn
    from doamc.cli.replay import Replay
    from doamc.estimates import status_message
    from doamc.estimators.engine import open_estimator
    from doamc.estimators.tuned import TunedEstimator, frequency_remark
    from doamc.spec import load_spec

    spec = load_spec(array_of_input(args.array, args.input), tunable=True)
    source = open_input(
        args.input, spec, args.snapshots, args.batches, True, capture_form(args), not args.ignore_positions
    )
    tuned = TunedEstimator(spec, lambda at: open_estimator(args.method, at, args.sources, args.device, args.seed))
    tuned.at(source.frequency_of(0))  # refused now rather than at the first batch
    warn([*source.remarks, frequency_remark(spec, () if source.frequency_hz is None else source.frequency_hz)])
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    heading = spec.heading_deg if args.heading is None else args.heading
    replay = Replay(tuned, source, args.sources, args.noise_power, args.rate, heading, place_of(args))
    with open_publisher(args, args.address or DEFAULT_ADDRESS) as publisher, open_outputs(args, publisher) as outputs:
        print(f"publishing on {publisher.address}", flush=True)
        announce(outputs)
        time.sleep(args.wait)
        try:
            replay.run(_Live(publisher, outputs), args.loop, args.count)
        finally:
            outputs.close()
            counters = {"made": replay.seq, "failed": replay.failed}
            publisher.status(
                status_message(time=time.time(), state="stopped", seq=replay.seq - 1, counters=counters,
                               last_error=None if replay.error is None else str(replay.error))
            )  # fmt: skip
            failed = f"{replay.failed} batches failed" + (f" ({replay.error})" if replay.error is not None else "")
            print(f"published {replay.seq} estimates, {failed}{report(outputs)}", flush=True)
    if replay.error is not None and not replay.seq:
        raise replay.error
    outputs.check()
    return 0
