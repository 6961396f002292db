"""Who may see the dashboard: this computer, or whoever has the token; and no page of another site through a browser."""

import hmac
import math
import secrets

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from doamc.dashboard.guesses import Guesses
from doamc.errors import DashboardError
from doamc.estimates.address import is_loopback

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


def check_access(host: str, token: str | None) -> None:
    """Raise DashboardError when other computers could reach the dashboard without a token, or the token is unusable."""
    if token is None and not is_loopback(host):
        raise DashboardError(
            f"expected --token with --host {host}, which other computers can reach, found none; "
            "give one, or leave out --host"
        )
    if token is not None and not (token.isascii() and token.isprintable() and LEAST_TOKEN <= len(token) <= 200):
        raise DashboardError(
            f"expected a token of {LEAST_TOKEN} to 200 printable ASCII characters, found {len(token)}; "
            f"take one that nobody can guess, such as {secrets.token_urlsafe(16)}"
        )


def access_middleware(token: str | None) -> Middleware:
    """Middleware that refuses whom `token` and the headers do not let in, and adds headers of safety to the rest.

    401 without a token, 403 with a wrong one, a page of another origin, or (without a token) a host name that is not
    this computer's: a name that somebody else's DNS points here; 429 after too many wrong ones (see `Guesses`). Who is
    refused is disconnected, too. ``/?token=`` leaves a cookie and loads the page again without the token in its
    address.
    """
    guesses = Guesses()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        refused = _refusal(request, token, guesses)
        if refused is None and request.path == "/" and "token" in request.query:
            response: web.StreamResponse = web.Response(status=303, headers={hdrs.LOCATION: "/"})
            if token is not None:
                response.set_cookie(
                    cookie_name(request), token, httponly=True, samesite="Strict", secure=request.secure
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
        return response

    return check


def cookie_name(request: web.Request) -> str:
    """Name of the cookie with the token: browsers keep cookies by host, not by port."""
    port = request.host.rpartition(":")[2] if ":" in request.host else ""
    return f"doamc-{port if port.isdigit() else 'http'}"


def _refusal(request: web.Request, token: str | None, guesses: Guesses) -> web.Response | None:
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and origin.partition("://")[2] != request.host:
        return _say(403, "a page of another site may not read this dashboard")
    if token is None:
        name = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
        return None if is_loopback(name) else _say(403, "open the dashboard as localhost or 127.0.0.1")
    scheme, _, bearer = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    given = request.query.get("token") or (bearer if scheme == "Bearer" else None)
    given = given or request.cookies.get(cookie_name(request))
    if given is None:
        return _say(401, "this dashboard needs its token: open /?token=...", {hdrs.WWW_AUTHENTICATE: "Bearer"})
    address = request.remote or ""
    wait_s = guesses.wait_s(address)
    if wait_s > 0:
        return _say(429, "too many wrong tokens", {hdrs.RETRY_AFTER: f"{math.ceil(wait_s)}"})
    if not hmac.compare_digest(given.encode(errors="surrogateescape"), token.encode()):
        guesses.wrong(address, given)
        return _say(403, "wrong token")
    return None


def _say(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=text + "\n", headers=headers)
