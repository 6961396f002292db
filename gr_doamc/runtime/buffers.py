"""GNU Radio's kind of buffer, chosen where the home folder cannot be written.

GNU Radio tries once a process which kind of circular buffer works, and notes it in the folder of the user's settings.
No flowgraph starts where it cannot make that folder: "cannot create directory".
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from doamc.home import can_hold, temporary_folder


def choose_buffers() -> None:
    """Let GNU Radio choose now, with a temporary home, if it could not keep its note later; else do nothing."""
    if _can_keep_its_note():
        return
    with suppress(OSError), temporary_folder() as folder:  # without any folder GNU Radio itself tells what is wrong
        with _set(HOME=folder, GR_PREFS_PATH=os.path.join(folder, ".gnuradio")):
            _run_something()


def _can_keep_its_note() -> bool:
    """Whether GNU Radio can: older releases write into the home, which must exist, newer ones beside the settings."""
    home = next((os.environ[name] for name in ("HOME", "APPDATA", "TMP") if name in os.environ), "/tmp")
    settings = os.path.join(os.environ.get("XDG_CONFIG_HOME", os.path.join(home, ".config")), "gnuradio")
    places = (os.path.join(home, ".gnuradio"), os.environ.get("GR_PREFS_PATH", settings))
    notes = [os.path.join(place, "prefs") for place in places]
    return os.path.isdir(home) and all(os.path.isdir(note) or can_hold(note) for note in notes)


@contextmanager
def _set(**variables: str) -> Iterator[None]:
    """Variables of the environment for the time of a block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _run_something() -> None:
    from gnuradio import blocks, gr

    flowgraph = gr.top_block("choice of buffers")
    flowgraph.connect(blocks.null_source(1), blocks.head(1, 1), blocks.null_sink(1))
    flowgraph.run()
