"""Arguments that say where estimates go, beside ZMQ, and what becomes of them."""

import argparse
from typing import TYPE_CHECKING, Any

from doamc.cli.logs import Maker, add_log_arguments, log_makers, opened
from doamc.cli.options import add_heading_argument, between, positive
from doamc.cli.remarks import tell, warn
from doamc.cli.servers import add_server_arguments, server_makers

if TYPE_CHECKING:
    from doamc.estimates import Publisher
    from doamc.estimates.fan_out import Outputs


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Files, servers and the station that they tell of."""
    out = parser.add_argument_group("outputs")
    out.add_argument("--csv", metavar="FILE", help="append KrakenSDR CSV lines to a file")
    out.add_argument("--csv-latest", metavar="FILE", help="keep a file with the newest CSV line, for the Kraken App")
    out.add_argument("--xml", metavar="FILE", help="keep a file with the newest bearing as XML, for DF-Aggregator")
    out.add_argument("--post", metavar="URL", help="post every bearing as KrakenSDR JSON")
    out.add_argument("--post-version", type=int, choices=(1, 2), default=1, metavar="1|2",
                     help="of the KrakenSDR's software whose JSON is posted (default 1)")  # fmt: skip
    out.add_argument("--annotate", metavar="FILE.sigmf-meta", help="write the estimates into this recording's metadata")
    out.add_argument("--all-sources", action="store_true", help="bearings of all sources, not of the strongest alone")
    add_log_arguments(out)
    add_server_arguments(parser)
    where = parser.add_argument_group("station, for logs, CSV, XML and JSON")
    add_heading_argument(where, "that of the estimates, or by [mount] of the array")
    where.add_argument("--station-id", default="doamc", metavar="NAME", help="default doamc")
    where.add_argument("--latitude", type=between(-90, 90), metavar="DEG",
                       help="north (default: in logs that of the estimates or the recording, else 0)")  # fmt: skip
    where.add_argument(
        "--longitude", type=between(-180, 180), metavar="DEG", help="east, told together with --latitude"
    )
    where.add_argument("--station-frequency", type=positive, metavar="HZ", help="where the estimates tell none")


#: outputs that map tools read, who take the heading of the array for granted
_FOR_MAPS = {"--csv", "--csv-latest", "--xml", "--post", "--doa-value", "--mapper"}


class _Zmq:
    """A publisher as one output among others; whoever opened it closes it."""

    def __init__(self, publisher: "Publisher") -> None:
        self.write = publisher.estimate

    def close(self) -> None:
        """Nothing to finish."""


class _Heading:
    """Says once that map tools are given bearings of an array of which nobody knows how it stands."""

    def __init__(self) -> None:
        self._told = False

    def write(self, message: dict[str, Any]) -> None:
        """Look at an estimate."""
        from doamc.estimates.orientation import heading_of

        if not self._told and message["sources"] and heading_of(message) is None:
            self._told = True
            words = "how the array stands is not known, and map tools will take +x for north; add --heading DEG"
            warn([words])

    def close(self) -> None:
        """Nothing to finish."""


def place_of(args: argparse.Namespace) -> tuple[float, float] | None:
    """Latitude and longitude that the station is told to be at. Raises PublishError on one without the other."""
    if args.latitude is None and args.longitude is None:
        return None
    if args.latitude is None or args.longitude is None:
        from doamc.errors import PublishError

        raise PublishError("expected --latitude and --longitude, found one of them; add the other")
    return args.latitude, args.longitude


def open_outputs(args: argparse.Namespace, publisher: "Publisher | None" = None) -> "Outputs":
    """The outputs asked for, the publisher first. What one of them fails to take is told on stderr.

    Raises DoamcError when one cannot be opened; those opened before are closed again.
    """
    from doamc.estimates.bearing import Station
    from doamc.estimates.fan_out import Outputs
    from doamc.estimates.outputs import Annotations, CsvLog, JsonPost, LatestFile

    station = Station(args.station_id, *(place_of(args) or (0.0, 0.0)), frequency_hz=args.station_frequency)
    makers: list[Maker] = [
        ("ZMQ", publisher, _Zmq),
        ("--annotate", args.annotate, Annotations),
        ("--csv", args.csv, lambda path: CsvLog(path, station, args.all_sources)),
        ("--csv-latest", args.csv_latest, lambda path: LatestFile(path, "csv", station, args.all_sources)),
        ("--xml", args.xml, lambda path: LatestFile(path, "xml", station)),
        *log_makers(args, tell),
        *server_makers(args, station),
        ("--post", args.post, lambda url: JsonPost(url, station, args.all_sources, args.post_version)),
    ]
    found = opened(makers)
    if found.keys() & _FOR_MAPS:
        found["heading"] = _Heading()
    return Outputs(found, tell)


def report(outputs: "Outputs") -> str:
    """What became of posts and of records for map clients, if there were any; complete once the outputs are closed."""
    from doamc.estimates.outputs import JsonPost

    posts = [o.poster for o in outputs.outputs.values() if isinstance(o, JsonPost)]
    told = [f", {p.sent} posted, {p.failed} posts failed, {p.dropped} dropped" for p in posts]
    casts = [o.broadcast for o in outputs.outputs.values() if hasattr(o, "broadcast")]
    told += [f", {c.sent} records to map clients, {c.dropped} clients dropped as too slow" for c in casts]
    return "".join(told)
