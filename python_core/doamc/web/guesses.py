"""Guesses at the token: a few are free, then each costs time."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

#: wrong tokens that an address may give at once, and s until it may give another
FREE, EACH_S = 10, 5.0
#: addresses remembered, and characters of a token
_MOST, _LONGEST = 1024, 200


class Guesses:
    """Counts wrong tokens by address (IPv6: by network of 64 bits). clock: monotonic time in s.

    An address that has used up its guesses is refused until it has waited, even with the right token: otherwise a
    guesser could tell the right token by the answer that comes at once. The same wrong token again, as from a page with
    an old cookie, is no new guess.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._owed: OrderedDict[str, tuple[float, str]] = OrderedDict()  # when all is forgotten, and the last token

    def wait_s(self, address: str) -> float:
        """Time until the address is heard again; 0 when it is now."""
        until, _ = self._owed.get(_network(address), (0.0, ""))
        return max(0.0, until - self._clock() - (FREE - 1) * EACH_S)

    def wrong(self, address: str, token: str) -> None:
        """The address gave a wrong token."""
        key = _network(address)
        until, last = self._owed.get(key, (0.0, ""))
        if token[:_LONGEST] == last:
            return
        self._owed[key] = max(self._clock(), until) + EACH_S, token[:_LONGEST]
        self._owed.move_to_end(key)
        if len(self._owed) > _MOST:
            self._owed.popitem(last=False)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or ipaddress.ip_network((parsed, 64), strict=False))
