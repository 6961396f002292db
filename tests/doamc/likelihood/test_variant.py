"""Which loops are taken, of posteriors and of bands: the best compiled ones, those asked for, or tensors."""

import subprocess
import sys

import pytest

from doamc.bands import band_loops
from doamc.errors import KernelError, SlowWarning
from doamc.likelihood import library, variant
from doamc.likelihood.library import open_library
from doamc.likelihood.variant import taken_variant

OPENS = {library: library.open_library, band_loops: band_loops.open_band_loops}


@pytest.fixture(params=OPENS, ids=["posterior", "bands"])
def module(request, monkeypatch):
    """Of a library of which nothing was found and nothing said yet; the environment asks for nothing."""
    monkeypatch.delenv("DOAMC_LOOPS", raising=False)
    monkeypatch.setattr(variant, "_told", [])
    variant._taken.cache_clear()
    yield request.param
    variant._taken.cache_clear()


@pytest.fixture
def missing(module, monkeypatch, tmp_path):
    """The same without its file."""
    monkeypatch.setattr(module, "LIBRARY", tmp_path / "loops.c.so")
    return module


def taken(module):
    return taken_variant(OPENS[module])


def test_the_best_variant_is_taken(module):
    assert taken(module)[1] == OPENS[module]()[1][-1]


@pytest.mark.parametrize("name", open_library()[1])
def test_a_variant_can_be_named(module, monkeypatch, name):
    monkeypatch.setenv("DOAMC_LOOPS", name)
    assert taken(module)[1] == name


def test_where_tensors_are_asked_for_nobody_misses_the_library(missing, monkeypatch):
    monkeypatch.setenv("DOAMC_LOOPS", "tensors")
    assert taken(missing) is None


def test_an_unknown_variant_is_refused(module, monkeypatch):
    monkeypatch.setenv("DOAMC_LOOPS", "fast")
    with pytest.raises(KernelError, match=r"one of tensors, plain.*, found 'fast'"):
        taken(module)


def test_a_variant_without_a_library_is_refused(missing, monkeypatch):
    monkeypatch.setenv("DOAMC_LOOPS", "plain")
    with pytest.raises(KernelError, match=r"found none: no loops\.c\.so"):
        taken(missing)


def test_a_missing_library_is_told_of_once(missing):
    with pytest.warns(SlowWarning, match=r"no loops\.c\.so.*install a C compiler"):
        assert taken(missing) is None
    assert taken(missing) is None  # a second warning would be an error


@pytest.mark.parametrize("content", [b"", b"no library", b"\x7fELF"])
def test_a_damaged_library_counts_as_missing(missing, content):
    missing.LIBRARY.write_bytes(content)
    with pytest.warns(SlowWarning, match="compiled loops are missing"):
        assert taken(missing) is None


def test_a_library_of_other_sources_counts_as_missing(module, monkeypatch):
    monkeypatch.setattr(module, "INTERFACE", 999)
    with pytest.warns(SlowWarning, match="compiled from other sources"):
        assert taken(module) is None


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
