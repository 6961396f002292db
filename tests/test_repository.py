"""Policies of the repository: what it may hold, and that its documentation is true."""

import ast
import fnmatch
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from doamc.cli import make_parser
from doamc.estimates import Publisher, make_message, validate
from doamc.estimators import METHODS
from doamc.files.small_file import tomllib
from doamc.protocol import DEFAULT_ADDRESS
from doamc.spec import parse_spec

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("python_core/", "gr_doamc/", "grc/", "flowgraphs/", "scripts/", "benchmarks/")


def tracked() -> list[str]:
    """Files of the repository; in an unpacked archive those that are not generated."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    if done.returncode == 0 and done.stdout:
        return [f for f in done.stdout.split("\0") if f and (ROOT / f).is_file()]
    generated = re.compile(r"(^|/)(\.|__pycache__|build/|out/|runs/|[^/]*\.egg-info/)")
    files = (str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file())
    return [f for f in files if not generated.search(f)]


FILES = tracked()
PAGES = [f for f in FILES if f.endswith(".md")]


def blocks(page: str, language: str) -> list[str]:
    """Fenced code blocks of a page in one language, without the indentation they may have in a list."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.M | re.S)
    return ["".join(line.removeprefix(indent) for line in body.splitlines(True)) for indent, body in found]


def test_no_file_is_large():
    assert {f: (ROOT / f).stat().st_size for f in FILES if (ROOT / f).stat().st_size > 8 * 2**20} == {}


def test_nothing_is_unpickled_or_evaluated():
    forbidden = re.compile(
        r"\b(import|from) (pickle|dill|cloudpickle|joblib|marshal|shelve)\b|torch\.load\(|allow_pickle=True"
        r"|(?<![\w.])(eval|exec)\(|shell=True|\.read_pickle\("
    )
    product = [f for f in FILES if f.startswith(PRODUCT) and f.endswith((".py", ".grc", ".yml"))]
    assert len(product) > 50
    found = [
        f"{f}:{i}: {line.strip()}"
        for f in product
        for i, line in enumerate((ROOT / f).read_text(encoding="utf-8").splitlines(), 1)
        if forbidden.search(line)
    ]
    assert found == []


def test_the_library_does_not_import_gnuradio():
    for f in FILES:
        if f.startswith("python_core/") and f.endswith(".py"):
            for node in ast.walk(ast.parse((ROOT / f).read_text(encoding="utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert not {n.split(".")[0] for n in names} & {"gnuradio", "pmt", "gr_doamc"}, f


_FOR_USERS = ("antenna", "dashboard", "imaging", "scale")  #: extras


def test_the_product_imports_what_it_declares_and_nothing_else():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared, develop = (
        {re.match(r"[\w-]+", d)[0] for d in wanted}
        for wanted in (project["dependencies"] + [d for e in _FOR_USERS for d in extras[e]], extras["dev"])
    )
    by_name = {"s3fs", "cryptography"}  # fsspec and distributed load them
    imported: set[str] = set()
    scripted: set[str] = set()
    for f in FILES:
        if f.startswith(("python_core/", "gr_doamc/", "scripts/")) and f.endswith(".py"):
            for node in ast.walk(ast.parse((ROOT / f).read_text(encoding="utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
                (scripted if f.startswith("scripts/") else imported).update(n.split(".")[0] for n in names)
    ours = {"doamc", "gr_doamc", "scripts", "gnuradio", "pmt", "tomllib", "PyQt5"}  # GNU Radio has its Qt
    foreign, in_scripts = (
        {{"zmq": "pyzmq"}.get(n, n) for n in names - ours - set(sys.stdlib_module_names)}
        for names in (imported, scripted)
    )
    assert in_scripts <= declared | develop
    assert foreign | (in_scripts - develop) | by_name == declared


def test_no_path_of_a_machine():
    folders = "|".join(["work", "root", "home", "Users", "opt"])
    path = re.compile(rf"(?<![\w./~$}}])/({folders})/\w")
    found = []
    for f in FILES:
        if f.endswith((".py", ".sh", ".md", ".toml", ".yml", ".grc", ".json", "Makefile", "run")):
            lines = (ROOT / f).read_text(encoding="utf-8").splitlines()
            found += [f"{f}:{i}: {line.strip()[:100]}" for i, line in enumerate(lines, 1) if path.search(line)]
    assert found == []


def test_scripts_can_be_run():
    for f in ("scripts/setup.sh", ".ci/run"):
        assert os.access(ROOT / f, os.X_OK), f
        assert subprocess.run(["sh", "-n", ROOT / f], timeout=10).returncode == 0


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            linked = (ROOT / page).parent / path if path else ROOT / page
            assert linked.exists(), f"{page} links to {target}"
            if anchor:
                heads = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.M)
                assert anchor in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in heads}, target


FOLDERS = {str(folder) for f in FILES for folder in Path(f).parents}
#: of other projects, which pages name
FOREIGN = {"daq_start_sm.sh", "model/perturbations.py", "performance/crb.py"}


def is_of_the_repository(name: str) -> bool:
    """Whether a name in backticks is that of a file or folder here: by its end, or by a room that it begins with."""
    rooms = {f.split("/")[-1] for f in FOLDERS if f.count("/") < 3 and not f.startswith(("tests/", "."))}
    path = re.fullmatch(r"[\w.*/-]+", name) and "NAME" not in name and name not in FOREIGN
    source = re.search(r"[\w*]\.(py|c|h|grc|sh|md|yml)$", name)
    return bool(path and (source or ("/" in name and name.split("/")[0] in rooms)))


@pytest.mark.parametrize("page", PAGES)
def test_files_and_folders_that_pages_name_exist(page):
    """From the root, or as the end of a path: `heimdall/frame.py`, `frame.py`, `likelihood/loops`."""
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.S)
    names = {name.rstrip("/") for name in re.findall(r"`([^`\n]+)`", text) if is_of_the_repository(name)}
    known = [f"/{path}" for path in {*FILES, *FOLDERS}]
    assert [n for n in sorted(names) if not fnmatch.filter(known, f"*/{n}")] == []


def test_every_page_can_be_reached_from_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [f for f in PAGES if f.startswith("docs/") and f"({f})" not in text] == []


def test_the_example_of_the_readme_reads_a_real_publisher(child):
    example = next(b for b in blocks("README.md", "python") if "import zmq" in b)
    assert example in blocks("docs/estimates.md", "python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    assert DEFAULT_ADDRESS in example
    with Publisher("tcp://127.0.0.1:*") as publisher:
        command = [sys.executable, "-u", "-c", example.replace(DEFAULT_ADDRESS, publisher.address)]
        reader = child(command, stdout=subprocess.PIPE, text=True)
        stop = threading.Event()

        def publish() -> None:
            seq = 0
            while not stop.wait(0.02):
                publisher.estimate(
                    make_message(
                        seq=seq,
                        time=1.79e9,
                        sample_time=None,
                        frequency_hz=None,
                        array="ula8",
                        method="music",
                        azimuth_deg=[-12.5, 30.25],
                        std_deg=None,
                        power_db=None,
                        noise_power=None,
                        coupling=None,
                        snapshots=1,
                        latency_ms={},
                        dropped_batches=0,
                    )
                )
                seq += 1

        sender = threading.Thread(target=publish)
        sender.start()
        watchdog = threading.Timer(90, reader.kill)
        watchdog.start()
        try:
            assert re.fullmatch(r"\d+ \[-12\.5, 30\.25\]\n", reader.stdout.readline())
        finally:
            watchdog.cancel()
            stop.set()
            sender.join()


def test_other_python_in_the_documentation_runs():
    snapshots = np.random.default_rng(0).standard_normal((3, 8, 100)) * (1 + 1j)
    run = 0
    for page in PAGES:
        for code in blocks(page, "python"):
            tree = ast.parse(code)
            if "zmq" in code or "Subscriber(" in code:
                continue  # loops without end; the first has a test of its own
            names: dict = {"snapshots": snapshots}
            exec(compile(tree, page, "exec"), names)
            run += 1
            if "back" in names:  # arrays and coupling: the projection returns what the matrices were made of
                torch.testing.assert_close(names["back"], names["theta"])
    assert run >= 3


def test_array_specifications_in_the_documentation_are_valid():
    specs = [parse_spec(tomllib.loads(b)) for page in PAGES for b in blocks(page, "toml") if "[geometry]" in b]
    assert len(specs) >= 2 and {s.n_elements for s in specs} == {6}


def test_messages_in_the_documentation_follow_the_schema():
    import json

    examples = [json.loads(b) for b in blocks("docs/estimates.md", "json")]
    assert examples
    for example in examples:
        validate(example)


def test_commands_in_the_documentation_are_accepted():
    seen = set()
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        lines = re.findall(r"^ {4,}(?:\.venv/bin/)?doamc (.*?)(?:  +#.*)?$", text, re.M)
        lines += re.findall(r"`(?:\.venv/bin/)?doamc ([a-z]+ [^`]*)`", text)
        fenced = "".join(blocks(page, "bash") + blocks(page, ""))
        lines += re.findall(r"^(?:\.venv/bin/)?doamc (.*?)(?:  +#.*)?$", fenced, re.M)
        for line in lines:
            words = line.split()
            if any(re.search(r"[A-Z.]{3,}$", w) for w in words):
                continue  # placeholders such as FILE, ...
            make_parser().parse_args(words)
            seen.add(words[0])
    assert {"estimate", "simulate", "compare", "train"} <= seen


def test_the_table_of_methods_is_complete():
    table = re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs/estimators.md").read_text(encoding="utf-8"), re.M)
    assert set(METHODS) <= set(table)
    assert set(table) <= set(METHODS)


def test_every_dependency_has_a_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    reasons = " ".join(re.findall(r"^\| ([^|]*) \|", text, re.M))
    extras = project["optional-dependencies"]
    optional = extras["antenna"] + extras["dashboard"]
    wanted = project["dependencies"] + optional + [d for d in extras["dev"] if project["name"] not in d]
    missing = [n for d in wanted if (n := re.match(r"[\w-]+", d)[0]) not in re.findall(r"[\w-]+", reasons)]
    assert missing == []


def test_make_setup_brings_the_dashboard_as_its_page_says():
    page = (ROOT / "docs" / "dashboard.md").read_text(encoding="utf-8")
    assert "`make setup` installs (extra `[dashboard]`" in page.replace("\n", " ")
    extras = re.findall(r"\bextras='(.*)'", (ROOT / "scripts" / "setup.sh").read_text(encoding="utf-8"))
    assert extras == ["[dashboard]", "[dev]"]  # of the demo; of the tests, which hold it


def test_set_up_again_does_nothing():
    if not (ROOT / ".venv" / "doamc-setup-stamp-tests").is_file() or Path(sys.prefix) != ROOT / ".venv":
        pytest.skip("this environment was not made by make tools")
    for what in ("demo", "tests"):  # every step says what it does; silence is the proof that there was none
        done = subprocess.run([ROOT / "scripts" / "setup.sh", what], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
