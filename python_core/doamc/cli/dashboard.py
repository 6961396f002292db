"""``doamc dashboard``: estimates in a browser, live."""

import argparse
import os
from typing import TYPE_CHECKING, Any

from doamc.cli.extras import extra
from doamc.cli.keys import add_reader_arguments
from doamc.cli.options import number, port
from doamc.protocol import DEFAULT_ADDRESS

if TYPE_CHECKING:
    from doamc.dashboard.server import Dashboard


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "dashboard",
        help="show the estimates of publishers in a browser",
        description="Serves pages with compass, histories, coupling and map, and with the signals of a band; loopback "
        "only, unless a token is given.",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--connect", default=DEFAULT_ADDRESS, metavar="ADDRESS", help="publisher (default %(default)s)")
    where.add_argument("--config", metavar="STATIONS.toml", help="several receivers, with positions and headings")
    add_reader_arguments(parser)
    parser.add_argument("--heading-deg", type=number, metavar="H", help="compass bearing of the array's +x axis")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default 127.0.0.1); others need --token")
    parser.add_argument("--port", type=port, default=8050, help="default 8050; 0: a free one")
    parser.add_argument("--token", help="what browsers must give (default: environment variable DOAMC_TOKEN)")
    parser.add_argument("--recordings", metavar="FOLDER", help="let the page record estimates into this folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from doamc.errors import DashboardError

    with extra("dashboard", DashboardError):
        from doamc.dashboard.receivers import Receiver, load_receivers
        from doamc.dashboard.server import Dashboard
        from doamc.web.foreground import run_loop
    if args.config and args.heading_deg is not None:
        raise DashboardError("expected --heading-deg without --config; write heading_deg into the file")
    if args.heading_deg is not None and not 0 <= args.heading_deg <= 360:
        raise DashboardError(f"expected --heading-deg within 0 to 360, found {args.heading_deg:g}")
    if args.config and (args.server_key or args.keys):
        raise DashboardError("expected --server-key and --keys without --config; write them into the file")
    single = Receiver("receiver", args.connect, args.heading_deg, server_key=args.server_key, keys=args.keys)
    receivers = load_receivers(args.config) if args.config else [single]
    token = args.token if args.token is not None else os.environ.get("DOAMC_TOKEN") or None
    dashboard = Dashboard(receivers, args.host, args.port, token, args.recordings)
    run_loop(lambda: _serve(dashboard))
    return 0


async def _serve(dashboard: "Dashboard") -> None:
    try:
        await dashboard.open()
        print(f"dashboard on {dashboard.url}", flush=True)
        await dashboard.run()
    finally:
        await dashboard.close()
