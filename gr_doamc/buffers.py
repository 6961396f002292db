"""GNU Radio's kind of buffer, chosen where the home folder cannot be written.

GNU Radio tries once a process which kind of circular buffer works, and notes it in ``.gnuradio/prefs`` of the home. No
flowgraph starts where it cannot make that folder: "cannot create directory".
"""

import os
from contextlib import suppress

from doamc.home import can_hold, temporary_folder


def choose_buffers() -> None:
    """Let GNU Radio choose now, with a temporary home, if it could not keep its note later; else do nothing."""
    home = next((os.environ[name] for name in ("HOME", "APPDATA", "TMP") if name in os.environ), "/tmp")
    prefs = os.path.join(home, ".gnuradio", "prefs")
    if os.path.isdir(prefs) or (os.path.isdir(home) and can_hold(prefs)):
        return
    with suppress(OSError), temporary_folder() as folder:  # without any folder GNU Radio itself tells what is wrong
        before = os.environ.get("HOME")
        os.environ["HOME"] = folder
        try:
            _run_something()
        finally:
            del os.environ["HOME"]
            if before is not None:
                os.environ["HOME"] = before


def _run_something() -> None:
    from gnuradio import blocks, gr

    flowgraph = gr.top_block("choice of buffers")
    flowgraph.connect(blocks.null_source(1), blocks.head(1, 1), blocks.null_sink(1))
    flowgraph.run()
