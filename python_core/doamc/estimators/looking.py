"""One look at the samples by the compiled loops, where there are some, before estimators ask one by one."""

import math

from doamc.likelihood.backend import loops_for
from doamc.likelihood.estimator_loops import look
from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.impulses import sample_step, threshold


def look_at(batch: SnapshotBatch) -> None:
    """Have `batch.look` tell what the samples show; without compiled loops, and on other devices, nobody has looked."""
    if batch.look is None and batch.snapshots.dim() == 3 and (loops := loops_for(batch.snapshots.device)):
        y = batch.snapshots.resolve_conj().numpy()
        part = math.log(2) / threshold(*y.shape[1:])
        vars(batch)["look"] = look(loops, y, sample_step(y.shape[2]), part)
