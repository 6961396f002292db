"""Received snapshots: checked batches, covariance, files."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doamc.snapshots.batch import SnapshotBatch, make_batch

__all__ = ["SnapshotBatch", "make_batch"]


def __getattr__(name: str) -> Any:
    """Batches, once they are asked for: they need torch, and files of snapshots do not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from doamc.snapshots import batch

    return getattr(batch, name)
