"""What is published: messages and their schema, the ZMQ publisher and subscriber, the JSON-lines log."""

from doamc.estimates.address import check_address
from doamc.estimates.border import decode, validate
from doamc.estimates.message import encode, make_message, status_message
from doamc.estimates.publisher import Publisher
from doamc.estimates.record import Recorder, read_records
from doamc.estimates.subscriber import Subscriber
from doamc.protocol import DEFAULT_ADDRESS

__all__ = [
    "DEFAULT_ADDRESS",
    "Publisher",
    "Recorder",
    "Subscriber",
    "check_address",
    "decode",
    "encode",
    "make_message",
    "read_records",
    "status_message",
    "validate",
]
