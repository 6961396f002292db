"""Options of commands that take many inputs: which of a folder, what is written, and what does the work."""

import argparse
from collections.abc import Sequence

from doamc.cli.cluster_options import add_cluster_arguments


def add_many_arguments(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    """What many inputs take beside what one takes. formats: of the results, the usual one first."""
    many = parser.add_argument_group("many inputs")
    many.add_argument("--include", metavar="PATTERN", help="take only files of such names, as in '*.sigmf-meta'")
    many.add_argument("--format", choices=list(formats), help=f"of the results (default {formats[0]})")
    add_cluster_arguments(parser, "for many inputs one a core, for one input 0")


def asks_for_many(args: argparse.Namespace, *more: object) -> bool:
    """Whether results go to a folder: there may be many inputs, or what is asked for is for many.

    more: what was given of further options that are for many.
    """
    from doamc.snapshots.finding import is_many

    asked = (args.include, args.format, args.workers, args.scheduler, *more)
    return len(args.inputs) > 1 or any(a is not None for a in asked) or any(map(is_many, args.inputs))
