"""The library of compiled loops is this package's, or none."""

import _ctypes
from pathlib import Path

import pytest

from doamc.likelihood.library import open_library


def test_another_library_is_refused():
    with pytest.raises(OSError, match="is another library"):
        open_library(Path(_ctypes.__file__))
