"""``python -m doamc`` and the command ``doamc``: the command line, which a signal ends quietly at any time."""

import signal
import sys
from typing import NoReturn

from doamc.signals import uninterrupted


def run() -> NoReturn:
    """Run the process's own command line, and end with its exit status."""
    try:
        with uninterrupted():  # a tenth of a second
            from doamc.cli import main
        status = main()
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    finally:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # while the interpreter ends, too
    sys.exit(status)


if __name__ == "__main__":
    run()
