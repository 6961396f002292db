"""safetensors with a header in JSON: weights of a network, a prior of antennas, a belief of self-calibration."""

import json
import struct
from functools import cache
from pathlib import Path
from random import Random

import torch
from safetensors import safe_open
from safetensors.torch import save

from doamc.antenna.prior_file import read_record
from doamc.coupling.drawn_file import load_drawn_family
from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.learning.checkpoint import WEIGHTS
from doamc.scenes import draw_scene, receive
from doamc.selfcal.belief import Belief
from doamc.selfcal.files import load_belief, save_belief
from doamc.snapshots.batch import SnapshotBatch, make_batch
from doamc.spec import SHIPPED, load_spec
from tests.fuzz.harness import Target
from tests.fuzz.mutate import damaged, spoiled

FILES = {"vae": "vae-uca5", "coupling-diffusion": "coupling-uca5", "ddim": "waveform"}


@cache
def parts(path: Path) -> tuple[dict[str, torch.Tensor], dict]:
    with safe_open(str(path), "pt") as file:
        return {k: file.get_tensor(k) for k in file.keys()}, json.loads(file.metadata()["doamc"])


@cache
def batch() -> SnapshotBatch:
    generator = torch.Generator().manual_seed(1)
    scene = draw_scene(load_spec("uca5"), 1, 2, snr_db=10.0, generator=generator)
    return make_batch(receive(scene, 40, "gaussian", generator).snapshots)


@cache
def belief_file() -> bytes:
    import tempfile

    spec = load_spec("kraken5")
    k = spec.family.n_parameters
    with tempfile.TemporaryDirectory() as name:
        made = Belief(spec.family, torch.eye(k, dtype=torch.float64), torch.zeros(k, dtype=torch.float64))
        save_belief(Path(name) / "b", spec, made, {"batches": 3})
        return (Path(name) / "b").read_bytes()


def changed(tensors: dict[str, torch.Tensor], random: Random) -> dict[str, torch.Tensor]:
    """One tensor of other values, another type or shape, another name, or none."""
    name = random.choice(sorted(tensors))
    value = tensors[name]
    kind = random.randrange(9)
    noise = torch.randn(value.shape, generator=torch.Generator().manual_seed(random.randrange(1000)))
    new = {
        0: lambda: value * torch.nan, 1: lambda: noise.to(value.dtype), 2: lambda: value * 0, 3: lambda: value[:-1],
        4: lambda: value.to(random.choice([torch.int64, torch.bool, torch.float16, torch.uint8, torch.complex64])),
        5: lambda: torch.zeros(random.choice([(), (0,), (1,), (0, 3, 2), (2, 2, 2, 2)])), 6: lambda: value.flatten(),
        7: lambda: value * random.choice([1e30, 1e-30, -1.0, 6e4]),
    }  # fmt: skip
    out = dict(tensors)
    if kind == 8:
        del out[name]
    else:
        out[name] = (new[kind]() if value.ndim or kind != 3 else value).contiguous()
    return out


def draw(files: list[bytes], random: Random) -> bytes:
    """A file with other tensors, another header, or damage among its first bytes."""
    data = random.choice(files)
    size = struct.unpack("<Q", data[:8])[0]
    head, kind = json.loads(data[8 : 8 + size]), random.random()
    if kind < 0.4:
        tensors = torch_load(data)
        return save(changed(tensors, random), head.get("__metadata__"))
    if kind < 0.8:
        told = json.loads(head["__metadata__"]["doamc"])
        head["__metadata__"]["doamc"] = json.dumps(spoiled(told, random))
    elif kind < 0.9:
        head = spoiled(head, random)
    else:
        cut = random.choice([size + 8, min(len(data), size + 4000)])
        return damaged(data[:cut], random) + data[cut:]
    text = json.dumps(head).encode(errors="surrogatepass")
    return struct.pack("<Q", len(text)) + text + data[8 + size :]


def torch_load(data: bytes) -> dict[str, torch.Tensor]:
    from safetensors.torch import load

    return load(data)


def draw_weights(random: Random) -> bytes:
    """The first byte tells of which method."""
    k = random.choice([0, 0, 1, 1, 2])
    path = WEIGHTS / f"{list(FILES.values())[k]}.safetensors"
    return bytes([k]) + draw([path.read_bytes()], random)


def use_weights(data: bytes, folder: Path) -> None:
    """A network that is accepted gives estimates, or an error of ours."""
    (folder / "w.safetensors").write_bytes(data[1:])
    method = list(FILES)[data[0] % 3 if data else 0]
    estimator = open_estimator(method, load_spec("uca5"), 2, "cpu", 1, weights=folder / "w.safetensors")
    assert estimate_batch(estimator, batch(), 2).azimuth.shape == (1, 2)


def use_prior(data: bytes, folder: Path) -> None:
    (folder / "p.safetensors").write_bytes(data)
    read_record(folder / "p.safetensors")
    family = load_drawn_family(folder / "p.safetensors")
    theta = family.draw((2,), torch.Generator().manual_seed(1))
    assert family.matrix(theta).shape == (2, family.n_elements, family.n_elements)
    assert torch.isfinite(family.log_prior(theta)).all()


def use_belief(data: bytes, folder: Path) -> None:
    (folder / "b").write_bytes(data)
    belief, record = load_belief(folder / "b", load_spec("kraken5"))
    assert belief.coupling.shape == (5, 5) and isinstance(record, dict)
    assert torch.isfinite(torch.view_as_real(belief.coupling)).all()


def priors() -> list[bytes]:
    return [(SHIPPED / f"{name}.prior.safetensors").read_bytes() for name in ("kraken5", "dipole8")]


TARGETS = (
    Target("weights", draw_weights, use_weights),
    Target("prior", lambda random: draw(priors(), random), use_prior),
    Target("belief", lambda random: draw([belief_file()], random), use_belief),
)
