"""``doamc publish``: estimates of an input, or made by others, to ZMQ and to what map tools read."""

import argparse
import time
from typing import TYPE_CHECKING, Any

from doamc.cli.options import add_estimator_arguments, between, positive, whole
from doamc.cli.outputs import add_output_arguments, open_outputs, report
from doamc.cli.relay import is_relayed, relay
from doamc.errors import SpecificationError

if TYPE_CHECKING:
    from doamc.estimates import Publisher
    from doamc.estimates.outputs import Outputs

_ADDRESS = "tcp://127.0.0.1:5577"


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "publish",
        help="publish estimates over ZMQ and in the KrakenSDR's formats",
        description="Snapshots are estimated batch by batch, paced, and published over ZMQ; a batch that cannot be "
        "used is counted and told as a status. Estimates (.jsonl, or the ZMQ address of a publisher) are passed on.",
    )
    add_estimator_arguments(parser, made=True)
    parser.add_argument(
        "--address", help=f"ZMQ endpoint to bind (default {_ADDRESS}; none where estimates are passed on)"
    )
    parser.add_argument(
        "--rate", type=between(1e-6, 1e6), metavar="R",
        help="batches a second (default: the sample rate; 10 for an .npz; as fast as it goes for a .jsonl)",
    )  # fmt: skip
    parser.add_argument("--wait", type=between(0, 3600), default=0.5, metavar="S",
                        help="time for subscribers to connect (0.5 s)")  # fmt: skip
    parser.add_argument("--loop", action="store_true", help="begin anew at the end, until interrupted")
    parser.add_argument("--count", type=whole(1), metavar="N", help="pass on N estimates, then end")
    parser.add_argument("--timeout", type=positive, metavar="S", help="end when no estimate comes for so long (ZMQ)")
    add_output_arguments(parser)
    parser.set_defaults(run=run)


class _Both:
    """The publisher of a replay, with the other outputs beside it."""

    def __init__(self, publisher: "Publisher", outputs: "Outputs") -> None:
        self._publisher, self._outputs, self.status = publisher, outputs, publisher.status

    def estimate(self, message: dict[str, Any]) -> None:
        self._publisher.estimate(message)
        self._outputs.write(message)


def run(args: argparse.Namespace) -> int:
    """Publish until the input ends. Raises the last error when not one batch could be estimated."""
    if is_relayed(args.input):
        return relay(args)
    if args.array is None:
        raise SpecificationError("expected an array for an input of snapshots, found none; add --array")
    import torch

    from doamc.cli.inputs import open_input
    from doamc.cli.replay import Replay
    from doamc.estimates import Publisher, status_message
    from doamc.estimators.engine import open_estimator
    from doamc.spec import load_spec

    spec = load_spec(args.array)
    source = open_input(args.input, spec, args.snapshots, args.batches, every=True)
    estimator = open_estimator(args.method, spec, args.sources, args.device, args.seed)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    replay = Replay(estimator, source, args.sources, args.noise_power, args.rate)
    with open_outputs(args) as outputs, Publisher(args.address or _ADDRESS) as publisher:
        print(f"publishing on {publisher.address}", flush=True)
        time.sleep(max(0.0, args.wait))
        try:
            replay.run(_Both(publisher, outputs), args.loop)
        finally:
            counters = {"made": replay.seq, "failed": replay.failed}
            publisher.status(
                status_message(time=time.time(), state="stopped", seq=replay.seq - 1, counters=counters,
                               last_error=None if replay.error is None else str(replay.error))
            )  # fmt: skip
            print(f"published {replay.seq} estimates, {replay.failed} batches failed{report(outputs)}", flush=True)
    if replay.error is not None and not replay.seq:
        raise replay.error
    return 0
