"""Files that people write: specifications, stations, calibrations, truths."""

import json
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch

from doamc.calibration.channels import ChannelCalibration
from doamc.calibration.correction import correction_matrix
from doamc.calibration.files import COUPLING_SCHEMA, load_channels, load_coupling, save_channels
from doamc.dashboard.receivers import load_receivers
from doamc.estimates.truth_files import read_truth
from doamc.files.small_file import tomllib
from doamc.scenes import draw_scene, receive
from doamc.spec import SHIPPED, load_spec
from tests.fuzz.harness import Target
from tests.fuzz.mutate import damaged, spoiled, toml_text

SPECIFICATIONS = [tomllib.loads(path.read_text()) for path in sorted(SHIPPED.glob("*.toml"))] + [
    {
        "name": "points", "frequency_hz": 433e6, "sector": {"azimuth_deg": [-90.0, 90.0]},
        "geometry": {"kind": "positions", "points_m": [[0.0, 0.0], [0.0, 0.3], [0.0, 0.7], [0.2, 0.5]]},
        "coupling": {"family": "symmetric", "magnitude": [[0.0, 0.1]]},
    },
    {
        "name": "plane", "geometry": {"kind": "ura", "rows": 2, "columns": 3, "spacing_wavelengths": 0.5},
        "sector": {"azimuth_deg": [0.0, 360.0]}, "coupling": {"family": "none", "magnitude": []},
    },
]  # fmt: skip
KEYS = (
    "spacing_m", "radius_m", "points_m", "points_wavelengths", "frequency_hz", "design_frequency_hz", "prior",
    "diagonal", "phase_deg", "count", "antenna", "draws", "frequency_range", "mast", "keys", "server_key",
    "order", "channels", "mount", "offset_deg", "north", "declination_deg", "like",
)  # fmt: skip
WORDS = (
    "ula", "uca", "ura", "positions", "drawn", "circulant", "reciprocal", "symmetric", "symmetric-toeplitz", "kraken5",
    "clockwise", "magnetic", "krakensdr", {"offset_deg": 10.0}, [4, 3, 2, 1, 0],
    "dipole", "monopole", [1, 2], [0.0, 360.0], [[0.1, 0.5]], 4, 256, 257, 1e9,
)  # fmt: skip
STATIONS = {
    "receiver": [
        {"name": "a", "connect": "tcp://127.0.0.1:5577", "heading_deg": 10.0, "latitude": 48.0, "longitude": 11.0},
        {"name": "b", "connect": "tcp://127.0.0.1:5578", "heading_std_deg": 1.0, "latitude": 48.1, "longitude": 11.1},
    ]
}
COUPLING = {
    "schema": COUPLING_SCHEMA, "time": 1.0, "note": "", "regularisation": 0.1,
    "re": [[1.0, 0.2], [0.2, 1.0]], "im": [[0.0, 0.1], [0.1, 0.0]],
}  # fmt: skip


def channels() -> dict[str, Any]:
    """The table of a calibration of channels, as it is written."""
    import tempfile

    made = ChannelCalibration(np.array([1.0, 0.5j, -0.7]), np.array([0, 1, -2]), 20.0, np.ones(3), 1000, "")
    with tempfile.TemporaryDirectory() as name:
        save_channels(Path(name) / "c.toml", made)
        return tomllib.loads((Path(name) / "c.toml").read_text())


def draw(tables: list[dict[str, Any]], random: Random) -> bytes:
    """TOML of a spoilt table, now and then with damage to its text."""
    table = spoiled(random.choice(tables), random, KEYS, WORDS)
    data = toml_text(table).encode(errors="surrogatepass")
    if random.random() < 0.02:
        data += b"x = " + b"[" * 20_000 + b"]" * 20_000
    return damaged(data, random) if random.random() < 0.15 else data


def use_specification(data: bytes, folder: Path) -> None:
    """An array that is accepted can be drawn from and taken to another frequency."""
    (folder / "a.toml").write_bytes(data)
    spec = load_spec(folder / "a.toml")
    assert spec.positions.shape == (spec.n_elements, 3) and torch.isfinite(spec.positions).all()
    assert len(spec.digest) == 16 and spec.names[0] == spec.name
    assert sorted(spec.channels) == list(range(spec.n_elements))
    assert spec.mount is None or 0 <= spec.mount.heading_deg < 360
    generator = torch.Generator().manual_seed(1)
    scene = draw_scene(spec, 2, spec.source_count[0], generator=generator)
    got = receive(scene, 3, "gaussian", generator).snapshots
    assert got.shape == (2, spec.n_elements, 3) and torch.isfinite(torch.view_as_real(got)).all()
    spec.at(1.01)


def use_stations(data: bytes, folder: Path) -> None:
    (folder / "s.toml").write_bytes(data)
    receivers = load_receivers(folder / "s.toml")
    assert all(r.east_m is None or np.isfinite([r.east_m, r.north_m]).all() for r in receivers)


def use_channels(data: bytes, folder: Path) -> None:
    (folder / "c.toml").write_bytes(data)
    made = load_channels(folder / "c.toml")
    assert np.isfinite(made.gains).all() and len(made.gains) == len(made.lag_samples)


def use_coupling(data: bytes, folder: Path) -> None:
    (folder / "c.toml").write_bytes(data)
    matrix, regularisation = load_coupling(folder / "c.toml")
    assert np.isfinite(correction_matrix(matrix, regularisation or 0.0)).all()


def draw_truth(random: Random) -> bytes:
    """The first byte tells of what format."""
    kind, table = random.randrange(3), {"azimuth_deg": [1.0, 2.0], "power_db": [0.0, 1.0]}
    if kind == 1:
        table |= {"schema": "doamc.truth/1", "sample_time": 0.5, "array": "ula8", "noise_power": 0.1}
    if kind == 2:
        data = b"sample_time,azimuth_deg,azimuth_deg_2\n0,1,2\n1.5,2,3\n2,3,4\n"
        data = damaged(data, random) if random.random() < 0.9 else data + b"1" * 200_000
    else:
        data = json.dumps(spoiled(table, random, ("coupling", "coupling_re", "coupling_im"))).encode()
    return bytes([kind]) + data


def use_truth(data: bytes, folder: Path) -> None:
    name = "t" + (".json", ".jsonl", ".csv")[data[0] % 3 if data else 0]
    (folder / name).write_bytes(data[1:])
    truth = read_truth(folder / name)
    assert truth.azimuth_deg(np.array([0.0, 1.0, 1e6])).shape[0] == 3


TARGETS = (
    Target("specification", partial(draw, SPECIFICATIONS), use_specification),
    Target("stations", partial(draw, [STATIONS]), use_stations),
    Target("channels", partial(draw, [channels()]), use_channels),
    Target("coupling", partial(draw, [COUPLING]), use_coupling),
    Target("truth", draw_truth, use_truth),
)
