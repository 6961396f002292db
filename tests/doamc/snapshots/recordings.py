"""SigMF recordings for tests: written by the library, or by hand as others write them."""

import json

import numpy as np

from doamc.snapshots.sigmf_write import write_recording

RATE = 1000.0  #: of those by hand
RNG = np.random.default_rng(5)
Y = RNG.uniform(-0.9, 0.9, (3, 40)) + 1j * RNG.uniform(-0.9, 0.9, (3, 40))
RAMP = (np.arange(100) + 1j * np.arange(3)[:, None]).astype(np.complex64)  #: samples tell number and channel


def write(tmp_path, **options):
    """A recording of `Y` by the library; options: arguments of `write_recording`."""
    path = tmp_path / "r.sigmf-meta"
    write_recording(path, **({"samples": Y, "sample_rate_hz": 1e6, "frequency_hz": 300e6} | options))
    return path


def edit(path, change):
    """Change the metadata of a recording by hand."""
    meta = json.loads(path.read_text())
    change(meta)
    path.write_text(json.dumps(meta))


def save(path, captures=({"core:sample_start": 0},), annotations=(), y=RAMP, data=None, **fields):
    """A recording by hand; fields are of the global object, without their ``core:``."""
    given = {"datatype": "cf32_le", "version": "1.2.0", "num_channels": len(y), "sample_rate": RATE} | fields
    world = {k if ":" in k else f"core:{k}": v for k, v in given.items() if v is not None}
    table = {"global": world, "captures": list(captures), "annotations": list(annotations)}
    path.with_suffix(".sigmf-meta").write_text(json.dumps(table))
    name = world.get("core:dataset", path.with_suffix(".sigmf-data").name)
    path.with_name(name).write_bytes(y.T.astype("<c8").tobytes() if data is None else data)
    return path.with_suffix(".sigmf-meta")


def capture(start, frequency=None, **more):
    told = {} if frequency is None else {"core:frequency": frequency}
    return {"core:sample_start": start} | told | {k.replace("__", ":"): v for k, v in more.items()}
