"""``doamc keys``: a pair of keys for CURVE, and the arguments of the commands that use them."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doamc.estimates import Publisher


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "keys",
        help="make a pair of keys for a publisher that other computers can reach",
        description="Makes NAME.key, to give away, and NAME.key_secret, to keep, for --keys and --server-key.",
    )
    parser.add_argument("name", metavar="NAME", help="path of the files, without their suffix")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the files."""
    from doamc.estimates.curve import make_keys

    public, secret = make_keys(args.name)
    print(f"{public}: give it to those who read (--server-key)\n{secret}: keep it (--keys)", flush=True)
    return 0


def add_publisher_arguments(parser: argparse.ArgumentParser) -> None:
    """Who may read what is published."""
    parser.add_argument("--keys", metavar="NAME.key_secret", help="own pair of keys (doamc keys): encrypt, and let in "
                        "only readers that have its public key")  # fmt: skip
    parser.add_argument("--readers", metavar="FOLDER", help="let in only readers whose public key lies here")
    parser.add_argument("--insecure", action="store_true", help="let other computers read without keys or token")


def add_reader_arguments(parser: argparse.ArgumentParser, keys: bool = True) -> None:
    """How to read from a publisher with keys. keys: also those of one's own."""
    parser.add_argument("--server-key", metavar="NAME.key", help="public key of a publisher that has one; without it, "
                        "what comes from another computer may be read and forged on the way")  # fmt: skip
    if keys:
        parser.add_argument("--keys", metavar="NAME.key_secret", help="own pair, for a publisher with --readers")


def open_publisher(args: argparse.Namespace, address: str) -> "Publisher":
    """Publisher on an address, as the arguments say. Raises PublishError when it cannot be."""
    from doamc.estimates import Publisher

    return Publisher(address, keys=args.keys, readers=args.readers, insecure=args.insecure)
