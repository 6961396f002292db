"""That a worker works on what the command meant: the same array, the same weights, the same input."""

from functools import lru_cache
from typing import Any

from doamc.cli.archive_settings import weights_digest
from doamc.errors import ClusterError, RecordingError
from doamc.spec import ArraySpec, load_spec


def spec_of(settings: dict[str, Any]) -> ArraySpec:
    """The array of a run. Raises ClusterError where a worker finds another under its name, or other weights for it."""
    return _spec(*(settings[k] for k in ("array", "array_digest", "method", "weights")))


@lru_cache(maxsize=4)
def _spec(array: str, digest: str, method: str, weights: str | None) -> ArraySpec:
    spec = load_spec(array, tunable=True)
    same = {"array": spec.digest == digest, "weights of array": weights_digest(method, spec) == weights}
    for what in (k for k, agrees in same.items() if not agrees):
        raise ClusterError(
            f"expected {what} {array} to be the same for all workers, found others; put the same files at the same "
            "paths everywhere"
        )
    return spec


def check_digest(where: str, found: str, digest: str) -> None:
    """Raise RecordingError where an input is another than the one that was looked at."""
    if found != digest:
        raise RecordingError(
            f"{where}: expected the input that was looked at, found that it changed since; start again"
        )
