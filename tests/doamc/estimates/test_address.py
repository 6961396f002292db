"""Addresses: malformed ones, and those that other computers can reach."""

import pytest

from doamc.errors import PublishError
from doamc.estimates import Publisher, Subscriber, check_address


@pytest.mark.parametrize(
    "address", ["", "nonsense", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:x", "tcp://127.0.0.1:70000", "http://a:1",
                "tcp://127.0.0.1:-1", 5577, None],
)  # fmt: skip
def test_malformed_addresses_are_named(address):
    for what in (Publisher, Subscriber, check_address):
        with pytest.raises(PublishError, match="expected"):
            what(address)


def test_address_of_another_computer_cannot_be_bound():
    with pytest.raises(PublishError, match=r"192\.0\.2\.1.*this computer"):
        Publisher("tcp://192.0.2.1:5577", insecure=True)  # a documentation address (RFC 5737), never ours
