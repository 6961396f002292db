"""The workflow for others' continuous integration runs .ci/run, on all systems that the installation page names."""

import os
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
(JOB,) = WORKFLOW["jobs"].values()


def combinations():
    """(runner, container) of every run of the job."""
    matrix = JOB["strategy"]["matrix"]
    pairs = {(runner, container) for runner in matrix["runner"] for container in matrix["container"]}
    return pairs | {(more["runner"], more["container"]) for more in matrix["include"]}


def test_it_runs_on_pushes_and_pull_requests_and_may_only_read():
    assert {"push", "pull_request"} <= set(WORKFLOW[True])  # YAML 1.1 takes "on" for a truth value
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_it_runs_ci_run_after_a_checkout_that_git_may_read():
    steps = [step.get("uses", step.get("run")) for step in JOB["steps"]]
    install, checkout, safe, run = steps
    assert re.fullmatch(r"apt-get update && apt-get install -y git make", install)
    assert checkout.startswith("actions/checkout@v")
    assert safe == 'git config --global --add safe.directory "$GITHUB_WORKSPACE"'
    assert run == ".ci/run" and os.access(ROOT / run, os.X_OK)


def test_every_run_has_a_container_of_its_own():
    assert (JOB["runs-on"], JOB["container"]["image"]) == ("${{ matrix.runner }}", "${{ matrix.container }}")
    assert not JOB["strategy"]["fail-fast"]
    assert any(runner.endswith("-arm") for runner, _ in combinations())


def test_the_systems_of_the_installation_page_are_covered():
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (Debian|Ubuntu) ([\w., ]+?) \|", page, re.M)
    named = {f"{system.lower()}:{release}" for system, releases in rows for release in releases.split(", ")}
    assert {"debian:12", "debian:13"} <= named
    assert named <= {container for runner, container in combinations() if not runner.endswith("-arm")}
