"""Received snapshots: checked batches, covariance, files."""

from doamc.snapshots.batch import SnapshotBatch, make_batch

__all__ = ["SnapshotBatch", "make_batch"]
