"""``python -m doamc``: the command line."""

import sys

from doamc.cli import main

sys.exit(main())
