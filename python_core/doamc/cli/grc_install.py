"""``doamc grc --install`` and ``--uninstall``: the blocks where plain gnuradio-companion and grcc look for them.

GNU Radio Companion reads every description under its folder for a user's own blocks (``~/.grc_gnuradio``, from 3.10.12
on ``~/.local/state/gnuradio``, or ``GRC_HIER_PATH``). A folder of links stands there, so an upgrade of the package is
seen at once, and removing the folder removes all.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from doamc.errors import DoamcError
from doamc.text import shown

_FOLDER = "gr-doamc"
_WHERE = """from gnuradio import gr
from gnuradio.grc.core.Config import Config
print(Config.hier_block_lib_dir, gr.prefs().get_string("grc", "global_blocks_path", ""), sep="\\n")
"""


def companion_python() -> str:
    """The Python that plain grcc, and so gnuradio-companion, runs under: the one of its first line.

    Raises DoamcError when GNU Radio is not installed.
    """
    program = shutil.which("grcc")
    if program is None:
        raise DoamcError("expected GNU Radio, found no grcc; install it (apt install gnuradio, or radioconda)")
    first = Path(program).read_bytes().split(b"\n", 1)[0].decode(errors="replace")
    words = first.removeprefix("#!").split() if first.startswith("#!") else []
    python = shutil.which(words[-1]) if words else None
    if python is None or "python" not in Path(python).name:
        raise DoamcError(f"expected a Python script at {program}, found a first line {shown(first)}")
    return python


def folders(python: str) -> tuple[Path, list[Path]]:
    """Folders that Companion under this Python reads: the user's own, and those of the installation.

    Raises DoamcError when it does not tell.
    """
    done = _run(python, _WHERE)
    own, _, common = done.stdout.rstrip("\n").rpartition("\n")
    if done.returncode or not own:
        raise DoamcError(f"expected {python} to import gnuradio.grc, found it does not; start doamc grc instead")
    return Path(own.splitlines()[-1]).expanduser(), [Path(p).expanduser() for p in common.split(os.pathsep) if p]


def install(blocks: Path) -> list[str]:
    """Link the descriptions in the folder `blocks`; the lines that say what was done. Raises DoamcError."""
    python = companion_python()
    own, common = folders(python)
    if blocks.resolve() in [path.resolve() for path in common]:
        return [f"nothing to link: gnuradio-companion reads {blocks} already"]
    folder = own / _FOLDER
    try:
        _remove(folder)
        folder.mkdir(parents=True)
        for file in sorted(blocks.glob("*.yml")):
            (folder / file.name).symlink_to(file)
    except OSError as error:
        raise DoamcError(f"expected to write links to {folder}, found: {error.strerror}") from error
    said = [f"linked {len(list(folder.iterdir()))} files in {folder} to {blocks}; doamc grc --uninstall removes them"]
    if not _imports_blocks(python):
        said.append(
            f"plain gnuradio-companion compiles flowgraphs but cannot run them: its {python} does not import gr_doamc; "
            "start doamc grc to run them, or install gr-doamc for that Python"
        )
    return said


def uninstall() -> list[str]:
    """Remove the links; the line that says so. Raises DoamcError when the folder holds anything else."""
    folder = folders(companion_python())[0] / _FOLDER
    if not folder.is_dir():
        return [f"nothing to remove: no {folder}"]
    try:
        _remove(folder)
    except OSError as error:
        raise DoamcError(f"expected to remove {folder}, found: {error.strerror}") from error
    return [f"removed {folder}"]


def _remove(folder: Path) -> None:
    """Remove a folder of links, of earlier versions too, and nothing that somebody else has put there."""
    if not folder.is_dir():
        return
    for file in folder.iterdir():
        if not file.is_symlink():
            raise DoamcError(f"expected only links in {folder}, found {file.name}; move it elsewhere first")
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def _imports_blocks(python: str) -> bool:
    """Whether flowgraphs run under this Python would find the package, from a folder where nothing shadows it."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    find = "import importlib.util as u, sys; sys.exit(u.find_spec('gr_doamc') is None)"
    return _run(python, find, cwd="/", env=environment).returncode == 0


def _run(python: str, code: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run code under a Python. Raises DoamcError when that does not start or end."""
    try:
        return subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DoamcError(f"expected {python} to run, found: {error}") from error
