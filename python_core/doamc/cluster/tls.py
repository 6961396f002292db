"""What it takes to reach a scheduler by ``tls://``."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tls:
    """Files (PEM) of the authority that signed everybody's certificates, and of our own certificate and its key."""

    authority: str
    certificate: str
    key: str
