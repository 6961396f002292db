"""A plain WebSocket that sends every bearing as the KrakenSDR's JSON: what local map clients listen to."""

import json

from doamc.estimates.bearing import Bearing, Station
from doamc.estimates.kraken_json import json_body
from doamc.estimates.outputs import BearingOutput
from doamc.gateways.broadcast import Broadcast
from doamc.web.access import Access
from doamc.web.background import Background


class Mapper(BearingOutput):
    """Sends a record a source; of the estimates at one frequency the newest, every 200 ms at most (see `Broadcast`).

    Raises the error of `Access` when the port cannot be had.
    """

    def __init__(self, port: int, station: Station, access: Access) -> None:
        super().__init__(station, every=True)
        self.broadcast = Broadcast(access, port, "--mapper")
        self._background = Background(self.broadcast)

    @property
    def url(self) -> str:
        """Address to connect to, without the token."""
        return self.broadcast.url

    def put(self, found: list[Bearing]) -> None:
        """Have these bearings sent with the next update, if anybody listens."""
        if not self.broadcast.clients:
            return
        records = [json.dumps(json_body(bearing, self.station, version=2)) for bearing in found]
        self.broadcast.put(found[0].frequency_hz, records)

    def close(self) -> None:
        """Send what waits, and end the server."""
        self._background.close()
