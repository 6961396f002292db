"""Source distribution and wheel: both are built, and the wheel is used in an environment that sees GNU Radio."""

import os
import shutil
import subprocess
import sys
import tarfile

import pytest

from tests.gr.few_blocks import LIVE, few_blocks
from tests.test_repository import FILES, ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder with the source distribution and the wheel that is built from it, of a clean copy of the tree."""
    folder = tmp_path_factory.mktemp("package")
    for file in FILES:
        (folder / "tree" / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, folder / "tree" / file)
    # without optimising, which takes ten times as long; the library of this tree is the one whose results are tested
    compiler = folder / "cc"
    compiler.write_text('#!/bin/sh\nexec cc "$@" -O0\n', encoding="utf-8")
    compiler.chmod(0o755)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", folder / "tree"]
    env = os.environ | {"CC": str(compiler)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, env=env)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder / "dist"


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """A new environment with the wheel in it, which sees GNU Radio and, without downloads, what the package needs."""
    folder = tmp_path_factory.mktemp("environment")
    make = [sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", folder]
    subprocess.run(make, check=True, timeout=60)
    packages = next(folder.glob("lib/python3*/site-packages"))
    # plain paths: the .pth files behind them, this tree's own editable one among them, are not read
    (packages / "needs.pth").write_text("\n".join(p for p in sys.path if p.endswith("site-packages")), encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--quiet", "--no-deps"]
    (wheel,) = built.glob("*.whl")
    subprocess.run([*pip, "--no-index", wheel], check=True, timeout=120)
    return folder


def run(installed, folder, *command, **environment):
    """Run a command of the new environment in a folder where no source tree is near."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GRC_", "GR_CONF", "PYTHON", "XDG_"))}
    env |= {"HOME": str(folder), "PATH": f"{installed / 'bin'}{os.pathsep}{env['PATH']}", **environment}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def test_the_source_distribution_is_the_whole_repository(built):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {f for f in FILES if f not in names} == set()


def test_the_wheel_estimates_by_the_default_method(installed, tmp_path):
    assert run(installed, tmp_path, "doamc", "--version").stdout.startswith("doamc ")
    done = run(installed, tmp_path, "doamc", "simulate", "ula8", "-o", "x.npz", "--batches", "1", "--sources", "2")
    assert (done.returncode, done.stderr) == (0, "")
    done = run(installed, tmp_path, "doamc", "estimate", "x.npz", "-o", "y.npz", "--array", "ula8", "--sources", "2")
    assert (done.returncode, done.stderr) == (0, "") and (tmp_path / "y.npz").is_file()
    where = run(installed, tmp_path, "python", "-c", "import doamc, gr_doamc; print(doamc.__file__, gr_doamc.__file__)")
    assert where.stdout.count(str(installed)) == 2


def test_plain_grcc_compiles_a_flowgraph_with_the_blocks_of_the_wheel_and_it_runs(installed, tmp_path):
    done = run(installed, tmp_path, "doamc", "grc", "--install")
    assert (done.returncode, done.stderr) == (0, "") and str(installed / "share") in done.stdout
    run(installed, tmp_path, shutil.which("grcc"), "-o", tmp_path, LIVE, **few_blocks(tmp_path / "blocks"))
    address = f"ipc://{tmp_path}/estimates"
    done = run(installed, tmp_path, "python", "live_doa.py", "--address", address, "--duration", "2", "--method", "ml")
    assert done.returncode == 0, done.stderr
    assert run(installed, tmp_path, "doamc", "grc", "--uninstall").stdout.startswith("removed ")
