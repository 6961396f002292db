"""The core stays importable anywhere and quick to start, and its rooms import downwards only."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "python_core" / "doamc"
#: rooms from the ground up; docs/architecture.md says what each holds
ROOMS = """
    errors text angles protocol home signals children files cluster arrays coupling spec scenes snapshots bounds antenna
    calibration likelihood estimators estimates tracks places views diffusion learning waveforms posterior denoising
    selfcal bands routes mimo imaging skies trials krakensdr figures web dashboard gateways cli
""".split()


def imported(path: Path) -> Iterator[str]:
    """Rooms of doamc that a file imports anywhere in it, late imports among them."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module == "doamc":
            names = [f"doamc.{a.name}" for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        yield from (n.split(".")[1] for n in names if n.startswith("doamc.") and n.split(".")[1] in ROOMS)


def test_every_room_has_its_place():
    found = {p.stem for p in CORE.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()}
    assert found - {"__init__", "__main__"} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_run_downwards_only(room):
    files = sorted((CORE / room).rglob("*.py")) or [CORE / f"{room}.py"]
    upwards = [
        f"{path.relative_to(CORE)} imports {other}"
        for path in files
        for other in imported(path)
        if other != room and ROOMS.index(other) > ROOMS.index(room)
    ]
    assert upwards == []


@pytest.mark.parametrize("module", ["doamc", "doamc.spec", "doamc.errors", "doamc.protocol"])
def test_light_modules_pull_in_no_heavy_library(module):
    code = f"import sys, {module}; print([m for m in ('torch', 'scipy', 'numpy', 'gnuradio') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "module",
    [
        "doamc.calibration",
        "doamc.estimates.outputs",
        "doamc.krakensdr",
        "doamc.snapshots.captures",
        "doamc.antenna",
        "doamc.imaging.files",
        "doamc.imaging.dirty",
    ],
)
def test_what_blocks_and_readers_load_leaves_torch_out(module):
    code = f"import sys, {module}; print([m for m in ('torch', 'scipy', 'gnuradio') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert out.stdout.strip() == "[]"


def test_the_core_never_imports_gnu_radio_or_a_compiler():
    code = (
        "import importlib, pkgutil, sys, doamc\n"
        "for m in pkgutil.walk_packages(doamc.__path__, 'doamc.'):\n"
        "    if not m.name.endswith('__main__'): importlib.import_module(m.name)\n"
        "print({'gnuradio', 'numba', 'llvmlite'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert out.stdout.strip() == "set()"


def test_help_loads_no_compiled_loops():
    code = (
        "import sys\nfrom doamc.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print({'doamc.likelihood.kernels', 'torch', 'numba'} & set(sys.modules), file=sys.stderr)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert out.returncode == 0 and out.stderr.strip() == "set()"
