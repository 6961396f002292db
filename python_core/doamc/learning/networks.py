"""The networks that ``doamc train`` makes, and the budget and rate that each takes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """What is trained (task: "module:class"), the method that uses it, default budget, rate and warm-up of Adam."""

    task: str
    method: str
    minutes: float
    rate: float = 1e-3
    warm_up: int = 200
    array: bool = True  #: whether it is trained for an array


#: kind -> network; the kind is the first part of a checkpoint's name
NETWORKS = {
    "snapshot": Network("doamc.denoising.snapshot_net:SnapshotTask", "ddim-snapshot", 6.0),
    "vae": Network("doamc.routes.vae_net:VaeTask", "vae", 5.0),
    "coupling": Network("doamc.routes.coupling_prior:CouplingTask", "coupling-diffusion", 2.0),
    "waveform": Network("doamc.waveforms.task:WaveformTask", "ddim", 60.0, rate=2e-3, array=False),
    "sky": Network("doamc.skies.task:SkyTask", "doamc image", 90.0, rate=1e-3, array=False),
}


def needs_no_array(kind: str) -> bool:
    """Whether a kind of network is trained for no array."""
    return kind in NETWORKS and not NETWORKS[kind].array
