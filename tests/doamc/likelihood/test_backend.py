"""Which loops are taken: the best compiled ones, those asked for, or tensors where there are none."""

import subprocess
import sys

import pytest
import torch

from doamc.errors import KernelError, SlowWarning
from doamc.likelihood import backend, library
from doamc.likelihood.library import open_library
from doamc.likelihood.tensors import TensorBackend
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Nothing found and nothing said yet; the environment asks for nothing."""
    monkeypatch.delenv("DOAMC_LOOPS", raising=False)
    monkeypatch.setattr(backend, "_told", [])
    backend._compiled.cache_clear()
    yield
    backend._compiled.cache_clear()


def without_a_library(monkeypatch, tmp_path):
    monkeypatch.setattr(library, "LIBRARY", tmp_path / "loops.c.so")


def test_the_best_variant_is_taken_on_the_cpu_alone():
    assert backend.loops_for(CPU).variant == open_library()[1][-1]
    assert backend.loops_for(torch.device("cuda")) is None


@pytest.mark.parametrize("variant", open_library()[1])
def test_a_variant_can_be_named(monkeypatch, variant):
    monkeypatch.setenv("DOAMC_LOOPS", variant)
    assert backend.loops_for(CPU).variant == variant


def test_tensors_can_be_asked_for(monkeypatch, tmp_path):
    without_a_library(monkeypatch, tmp_path)  # which nobody misses then
    monkeypatch.setenv("DOAMC_LOOPS", "tensors")
    scene, rhat, count = observed("ula8", 2, 2, 50, 10.0)
    coordinates = coordinates_of(scene, True)
    posterior = posterior_of(coordinates, scene, rhat, count)
    x = point_of(coordinates, scene)
    assert isinstance(posterior.backend, TensorBackend)
    assert torch.equal(posterior(x), posterior.log_posterior(x))


def test_an_unknown_variant_is_refused(monkeypatch):
    monkeypatch.setenv("DOAMC_LOOPS", "fast")
    with pytest.raises(KernelError, match=r"one of tensors, plain.*, found 'fast'"):
        backend.loops_for(CPU)


def test_a_variant_without_a_library_is_refused(monkeypatch, tmp_path):
    without_a_library(monkeypatch, tmp_path)
    monkeypatch.setenv("DOAMC_LOOPS", "plain")
    with pytest.raises(KernelError, match=r"found none: no loops\.c\.so"):
        backend.loops_for(CPU)


def test_a_missing_library_is_told_of_once(monkeypatch, tmp_path):
    without_a_library(monkeypatch, tmp_path)
    with pytest.warns(SlowWarning, match=r"no loops\.c\.so.*install a C compiler"):
        assert backend.loops_for(CPU) is None
    assert backend.loops_for(CPU) is None  # a second warning would be an error


@pytest.mark.parametrize("content", [b"", b"no library", b"\x7fELF"])
def test_a_damaged_library_counts_as_missing(monkeypatch, tmp_path, content):
    without_a_library(monkeypatch, tmp_path)
    library.LIBRARY.write_bytes(content)
    with pytest.warns(SlowWarning, match="compiled loops are missing"):
        assert backend.loops_for(CPU) is None


def test_a_library_of_other_sources_counts_as_missing(monkeypatch):
    monkeypatch.setattr(library, "INTERFACE", 999)
    with pytest.warns(SlowWarning, match="compiled from other sources"):
        assert backend.loops_for(CPU) is None


def test_the_warning_is_one_line_on_stderr(tmp_path):
    code = (
        "import sys, pathlib, torch\n"
        "from doamc.likelihood import backend, library\n"
        "library.LIBRARY = pathlib.Path(sys.argv[1])\n"
        "for _ in range(3): backend.loops_for(torch.device('cpu'))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "none"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout == ""
    assert done.stderr.startswith("doamc:1: SlowWarning: compiled loops are missing") and done.stderr.count("\n") == 1
