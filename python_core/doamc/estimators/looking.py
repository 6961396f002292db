"""One look at the samples by the compiled loops, before estimators ask one by one what it found."""

from doamc.likelihood.backend import loops_for
from doamc.likelihood.sample_loops import look
from doamc.snapshots.batch import SnapshotBatch


def looked_at(batch: SnapshotBatch) -> SnapshotBatch:
    """The batch itself, with its `look` by the compiled loops.

    Without them, and on other devices, NumPy looks when somebody asks; at moments without snapshots there is nothing to
    look.
    """
    held = vars(batch)
    if "look" not in held and batch.snapshots.ndim == 3:
        loops = loops_for(batch.snapshots.device)
        if loops is not None:
            values, vectors = batch.eigen
            held["look"] = look(loops, batch.snapshots.resolve_conj().numpy(), values.numpy(), vectors.numpy())
    return batch
