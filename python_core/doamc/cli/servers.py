"""Arguments of the servers that map tools fetch from or listen to: the page and the WebSocket of the KrakenSDR."""

import argparse
import os
import re
from typing import TYPE_CHECKING, Any

from doamc.cli.extras import extra
from doamc.cli.logs import Maker
from doamc.cli.options import port
from doamc.text import shown

if TYPE_CHECKING:
    from doamc.estimates.bearing import Station
    from doamc.estimates.fan_out import Outputs


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """The servers, and who may read them."""
    group = parser.add_argument_group("servers for map tools", "the KrakenSDR's own listen on 8081 and 8021")
    group.add_argument("--doa-value", type=port, metavar="PORT",
                       help="serve /DOA_value.html, CSV lines of the newest bearings; 0: a free port")  # fmt: skip
    group.add_argument("--mapper", type=port, metavar="PORT",
                       help="send bearings as JSON to every WebSocket that connects; 0: a free port")  # fmt: skip
    group.add_argument("--host", default="127.0.0.1",
                       help="where both listen (default 127.0.0.1); others need --token or --insecure")  # fmt: skip
    group.add_argument("--token", help="what readers must give (default: environment variable DOAMC_TOKEN)")
    group.add_argument("--allow-origin", type=_origin, action="append", default=[], metavar="URL",
                       help="let pages of this site read, too (http://localhost:3000); may be repeated")  # fmt: skip


def server_makers(args: argparse.Namespace, station: "Station") -> list[Maker]:
    """How to open the servers that are asked for."""
    from doamc.errors import PublishError

    def access(what: str) -> Any:
        from doamc.web.access import Access

        token = args.token if args.token is not None else os.environ.get("DOAMC_TOKEN") or None
        return Access(args.host, token, what, PublishError, args.insecure, tuple(args.allow_origin))

    def page(number: int) -> Any:
        with extra("dashboard", PublishError):
            from doamc.gateways.doa_page import DoaPage

            return DoaPage(number, station, access("page"))

    def mapper(number: int) -> Any:
        with extra("dashboard", PublishError):
            from doamc.gateways.mapper import Mapper

            return Mapper(number, station, access("WebSocket"))

    return [("--doa-value", args.doa_value, page), ("--mapper", args.mapper, mapper)]


def announce(outputs: "Outputs") -> bool:
    """Say where servers listen; whether there are any."""
    addresses = [output.url for output in outputs.outputs.values() if hasattr(output, "url")]
    for address in addresses:
        print(f"serving {address}", flush=True)
    return bool(addresses)


def _origin(text: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", text):
        raise argparse.ArgumentTypeError(f"expected a site such as http://localhost:3000, found {shown(text)}")
    return text.lower()
