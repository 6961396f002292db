"""Benchmarks are programs: each starts from a clean clone as its docstring says, and needs nothing of the tests."""

import ast
import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.test_repository import FILES, ROOT

FILES_OF_BENCHMARKS = [f for f in FILES if f.startswith("benchmarks/") and f.endswith(".py")]
#: those ending in _worker.py are started by another, in a process of their own
PROGRAMS = [
    f
    for f in FILES_OF_BENCHMARKS
    if not f.endswith("_worker.py") and "__main__" in (ROOT / f).read_text(encoding="utf-8")
]


#: what `python FILE --help` does, for one file after the other, so that torch is loaded once
HELP = """
import contextlib, io, json, runpy, sys
told = {}
for file in sys.argv[1:]:
    sys.path[0], sys.argv, out = file.rpartition("/")[0], [file, "--help"], io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            runpy.run_path(file, run_name="__main__")
    except SystemExit as end:
        told[file] = (end.code, out.getvalue())
print(json.dumps(told))
"""


def start(tmp_path, *words, timeout_s):
    """Start Python in a folder where neither the tests nor the benchmarks can be imported."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=timeout_s)


def test_all_start_and_have_the_same_command_line(tmp_path):
    programs = [p for p in PROGRAMS if p != "benchmarks/antennas.py" or find_spec("PyNEC")]
    done = start(tmp_path, "-c", HELP, *(ROOT / p for p in programs), timeout_s=120)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    for program in programs:
        status, text = told[str(ROOT / program)]
        assert status == 0 and "--out OUT" in text and "--quick" in text
        about = ast.get_docstring(ast.parse((ROOT / program).read_text(encoding="utf-8")))
        assert about.partition("\n")[0] in " ".join(text.split())
        assert f"\n    .venv/bin/python {program}" in about


@pytest.mark.parametrize("file", FILES_OF_BENCHMARKS)
def test_none_imports_tests_or_relies_on_the_folder_it_is_started_in(file):
    names = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        names |= {a.name.split(".")[0] for a in node.names} if isinstance(node, ast.Import) else set()
        names |= {str(node.module).split(".")[0]} if isinstance(node, ast.ImportFrom) else set()
    assert not names & {"tests", "benchmarks", "scripts"}


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_each_has_a_quick_run_which_writes_only_what_it_is_told_to(program, tmp_path):
    if program == "benchmarks/antennas.py":
        pytest.importorskip("PyNEC")
    out = tmp_path / "result"
    done = start(tmp_path, ROOT / program, "--quick", "--out", out, timeout_s=280)
    assert done.returncode == 0, done.stderr
    assert "cpu" in json.loads(out.read_text(encoding="utf-8"))["machine"]
    assert sorted(tmp_path.iterdir()) == [out]
