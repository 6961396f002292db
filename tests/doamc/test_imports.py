"""The core stays importable anywhere and quick to start."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["doamc", "doamc.spec", "doamc.errors"])
def test_light_modules_pull_in_no_heavy_library(module):
    code = f"import sys, {module}; print([m for m in ('torch', 'scipy', 'numpy', 'gnuradio') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "module", ["doamc.calibration", "doamc.estimates.outputs", "doamc.heimdall", "doamc.snapshots.captures"]
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
        "finally: print({'doamc.posterior.kernels', 'torch', 'numba'} & set(sys.modules), file=sys.stderr)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert out.returncode == 0 and out.stderr.strip() == "set()"
