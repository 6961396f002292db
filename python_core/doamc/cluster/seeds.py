"""Seeds that depend on what is worked on, and on nothing else: no worker, no order, no cut."""

import hashlib


def seed_of(seed: int, digest: str, number: int) -> int:
    """Seed, 0 <= s < 2**63, of the batches that begin with this number in the input of this digest.

    seed: the user's, so that a run can be repeated with other draws.
    """
    return int.from_bytes(hashlib.sha256(f"{seed}:{digest}:{number}".encode()).digest()[:8], "big") >> 1
