"""safetensors files with a header in JSON, as they come from others: of bounded size, real and finite numbers alone."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doamc.errors import DoamcError
from doamc.text import reason, shown

if TYPE_CHECKING:
    import torch

LARGEST = 256 << 20  #: bytes of a file


def read_tensors(
    path: str | Path, refusal: type[DoamcError], what: str
) -> "tuple[dict[str, torch.Tensor], dict[str, Any]]":
    """Tensors by name, copied out of the file, and the JSON object that the header has as ``doamc``, {} without one.

    Raises `refusal`, with a message that begins with `what`, when the file cannot be read, is too large, is no such
    file, or its tensors hold anything but finite real numbers.
    """
    with _opened(path, refusal, what, "pt") as file:
        tensors = {
            k: file.get_tensor(k).clone() for k in file.keys()
        }  # in the file they are not aligned for complex numbers
        for name, value in tensors.items():
            if not value.is_floating_point() or not bool(value.isfinite().all()):
                raise ValueError(f"expected finite numbers, found others in {shown(name)}")
        return tensors, _head(file)


def read_head(path: str | Path, refusal: type[DoamcError], what: str) -> dict[str, Any]:
    """The JSON object alone; see `read_tensors`."""
    with _opened(path, refusal, what, "numpy") as file:
        return _head(file)


@contextmanager
def _opened(path: str | Path, refusal: type[DoamcError], what: str, framework: str) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    try:
        if (size := os.path.getsize(path)) > LARGEST:
            raise ValueError(f"expected at most {LARGEST >> 20} MiB, found {size >> 20}")
        with safe_open(str(path), framework) as file:
            yield file
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError, RecursionError) as error:
        raise refusal(f"{what} ({reason(error)})") from error


def _head(file: Any) -> dict[str, Any]:
    head = json.loads((file.metadata() or {}).get("doamc", "{}"))
    if not isinstance(head, dict):
        raise ValueError(f"expected a JSON object as its header, found {shown(head)}")
    return head
