"""``doamc methods``: the estimators by name."""

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "methods",
        help="list the estimators",
        description="Lists what --method of other commands takes, a line each; docs/estimators.md compares them.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print name and summary of every estimator; the default is marked."""
    from doamc.estimators.base import DEFAULT_METHOD, METHODS, estimator_class

    width = max(map(len, METHODS))
    for name in METHODS:
        mark = " (default)" if name == DEFAULT_METHOD else ""
        print(f"{name:<{width}}  {estimator_class(name).summary}{mark}")
    return 0
