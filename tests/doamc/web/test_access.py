"""Who is let in where other computers can come, and which pages of other sites."""

import pytest

from doamc.errors import DashboardError, PublishError
from doamc.web.access import Access

from .serving import Page, get

TOKEN = "tell nobody of it"


@pytest.mark.parametrize(
    ("insecure", "ways"),
    [(None, "expected --token with --host"), (False, "expected --token or --insecure with --host")],
)
def test_beyond_this_computer_something_is_asked_for(insecure, ways):
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(PublishError, match=ways):
            Access(host, None, "page", PublishError, insecure)
        Access(host, TOKEN, "page", PublishError, insecure)
    for host in ("127.0.0.1", "::1", "localhost"):
        Access(host, None, "page", PublishError, insecure)
    Access("0.0.0.0", None, "page", PublishError, True)
    with pytest.raises(PublishError, match="expected a token of 16 to 200"):
        Access("127.0.0.1", "short", "page", PublishError)


def test_insecure_lets_in_whoever_asks_by_an_address_and_no_name_of_others(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "Roof")
    with Page("0.0.0.0", insecure=True) as page:
        for host in ("192.0.2.7", "[2001:db8::1]", "localhost", "roof", "ROOF.local"):
            assert get(page.url, Host=f"{host}:{page.port}")[0] == 200, host
        for host in ("example.org", "roof.example.org", "192.0.2.7.example.org", "roof."):
            assert get(page.url, Host=f"{host}:{page.port}")[0] == 403, host


def test_pages_of_sites_that_are_named_may_read():
    site = "http://localhost:3000"
    with Page(origins=(site,)) as page:
        status, headers, body = get(page.url, Origin=site)
        assert (status, body, headers["Access-Control-Allow-Origin"], headers["Vary"]) == (
            200,
            b"hello",
            site,
            "Origin",
        )
        status, headers, _ = get(page.url, Origin="http://localhost:3001")
        assert status == 403 and headers["Access-Control-Allow-Origin"] is None
        assert get(page.url)[1]["Access-Control-Allow-Origin"] is None
    with Page(token=TOKEN, origins=(site,)) as page:
        assert get(page.url, Origin=site)[0] == 401  # a name lets nobody in without the token


def test_a_port_in_use_is_told():
    with Page() as page:
        other = Page()
        other.server.port = page.port
        with pytest.raises(DashboardError, match="take another --port"), other:
            pass
