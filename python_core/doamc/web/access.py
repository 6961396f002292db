"""Who may see a server: this computer, or whoever has the token; and no page of another site through a browser."""

import hmac
import ipaddress
import math
import secrets
import socket
from dataclasses import dataclass

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from doamc.errors import DoamcError
from doamc.estimates.address import is_loopback
from doamc.web.guesses import Guesses

#: characters of a token, at least: some 95 bits of one that is drawn
LEAST_TOKEN = 16
#: everything the page loads comes from its own server
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Access:
    """Who may read a server.

    host: where it listens. token: what readers must give, None for none, which only an address of this computer allows.
    insecure: whether any address allows it; None where nobody is asked for such a word. origins: other sites whose
    pages may read it, as in ``http://localhost:3000``. what: the server, in words. error: raised when a host needs a
    token and has none, or a token is unusable.
    """

    host: str
    token: str | None
    what: str
    error: type[DoamcError]
    insecure: bool | None = None
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.token is None and not self.insecure and not is_loopback(self.host):
            ways = "--token" if self.insecure is None else "--token or --insecure"
            raise self.error(
                f"expected {ways} with --host {self.host}, which other computers can reach, found none; "
                "give one, or leave out --host"
            )
        token = self.token
        if token is not None and not (token.isascii() and token.isprintable() and LEAST_TOKEN <= len(token) <= 200):
            raise self.error(
                f"expected a token of {LEAST_TOKEN} to 200 printable ASCII characters, found {len(token)}; "
                f"take one that nobody can guess, such as {secrets.token_urlsafe(16)}"
            )


def access_middleware(access: Access) -> Middleware:
    """Middleware that refuses whom `access` and the headers do not let in, and adds headers of safety to the rest.

    401 without a token, 403 with a wrong one, a page of another origin, or (without a token) a host name that is not
    this computer's: a name that somebody else's DNS points here; 429 after too many wrong ones (see `Guesses`). Who is
    refused is disconnected, too. ``/?token=`` leaves a cookie and loads the page again without the token in its
    address; a WebSocket takes the token as it is.
    """
    guesses = Guesses()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        refused = _refusal(request, access, guesses)
        if refused is None and request.path == "/" and "token" in request.query and hdrs.UPGRADE not in request.headers:
            response: web.StreamResponse = web.Response(status=303, headers={hdrs.LOCATION: "/"})
            if access.token is not None:
                response.set_cookie(
                    cookie_name(request), access.token, httponly=True, samesite="Strict", secure=request.secure
                )
        elif refused is not None:  # not by its truth: a response is a mapping, and an empty one
            response = refused
            response.force_close()
        else:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                error.headers.update(_HEADERS)
                raise
        if not response.prepared:  # a WebSocket's head has left
            response.headers.update(_HEADERS)
            origin = request.headers.get(hdrs.ORIGIN)
            if origin in access.origins:
                response.headers.update({hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin, hdrs.VARY: hdrs.ORIGIN})
        return response

    return check


def cookie_name(request: web.Request) -> str:
    """Name of the cookie with the token: browsers keep cookies by host, not by port."""
    port = request.host.rpartition(":")[2] if ":" in request.host else ""
    return f"doamc-{port if port.isdigit() else 'http'}"


def _refusal(request: web.Request, access: Access, guesses: Guesses) -> web.Response | None:
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and origin.partition("://")[2] != request.host and origin not in access.origins:
        return _say(403, f"a page of another site may not read this {access.what}")
    if access.token is None:
        name = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
        if is_loopback(name) or (access.insecure and _is_of_this_computer(name)):
            return None
        names = "an address" if access.insecure else "localhost or 127.0.0.1"
        return _say(403, f"open the {access.what} as {names}")
    scheme, _, bearer = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    given = request.query.get("token") or (bearer if scheme == "Bearer" else None)
    given = given or request.cookies.get(cookie_name(request))
    if given is None:
        words = f"this {access.what} needs its token: add ?token=... to the address"
        return _say(401, words, {hdrs.WWW_AUTHENTICATE: "Bearer"})
    address = request.remote or ""
    wait_s = guesses.wait_s(address)
    if wait_s > 0:
        return _say(429, "too many wrong tokens", {hdrs.RETRY_AFTER: f"{math.ceil(wait_s)}"})
    if not hmac.compare_digest(given.encode(errors="surrogateescape"), access.token.encode()):
        guesses.wrong(address, given)
        return _say(403, "wrong token")
    return None


def _is_of_this_computer(name: str) -> bool:
    """Whether a name cannot be somebody else's that points here: an address, or what this computer calls itself."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        own = socket.gethostname().lower()
        return name.lower() in (own, f"{own}.local")
    return True


def _say(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=text + "\n", headers=headers)
