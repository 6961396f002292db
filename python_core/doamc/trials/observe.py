"""What a method is given in a trial: scenes of the prior, and what the array received of them."""

import torch

from doamc.scenes import Scene, draw_scene, receive
from doamc.snapshots.batch import SnapshotBatch, make_batch
from doamc.spec import ArraySpec

#: why a method that remembers is not tried
IN_SEQUENCE = "it takes scenes as one after the other, and these have nothing to do with each other"


def observe(
    spec: ArraySpec,
    count: int,
    n_sources: int,
    n_snapshots: int,
    snr_db: float | tuple[float, float] | None,
    generator: torch.Generator,
    waveform: str = "gaussian",
    known_noise: bool = False,
) -> tuple[Scene, SnapshotBatch, torch.Tensor]:
    """Scenes drawn from the prior, the batch of what was received, and the clean snapshots in it, (B, N, L).

    snr_db: as `draw_scene` takes it. A network sees single precision, and so does a receiver: results shall not depend
    on more.
    """
    scene = draw_scene(spec, count, n_sources, snr_db, generator)
    received = receive(scene, n_snapshots, waveform, generator)
    snapshots = received.snapshots.to(torch.complex64)
    batch = make_batch(snapshots, spec.n_elements, scene.noise_power if known_noise else None)
    return scene, batch, received.clean
