from importlib.util import find_spec

import numpy as np
import pytest

from doamc.cli import main
from doamc.spec import load_spec

needs_nec = pytest.mark.skipif(not find_spec("PyNEC"), reason="PyNEC, which has wheels for x86-64 only")
ARRAY = """name = "pair"
[geometry]
kind = "positions"
points_wavelengths = [[0.0, 0.0], [0.0, 0.4], [0.35, 0.2]]
[sector]
azimuth_deg = [0.0, 360.0]
[coupling]
family = "drawn"
prior = "pair"
[antenna]
element = "monopole"
length_wavelengths = 0.24
design_frequency_hz = 433.9e6
segments = 11
[antenna.draws]
gain_db = [0.0, 0.0]
phase_deg = [0.0, 0.0]
position_wavelengths = [0.001, 0.002]
element_length_percent = [0.2, 0.5]
element_load_ohm = [0.5, 0.5]
"""


@pytest.fixture
def array(tmp_path):
    path = tmp_path / "pair.toml"
    path.write_text(ARRAY)
    return path


@needs_nec
def test_coupling_and_response_are_written(array, tmp_path, capsys):
    out = tmp_path / "out.npz"
    assert main(["antenna", str(array), "-o", str(out)]) == 0
    z = np.load(out)
    assert z["coupling"].shape == z["impedance"].shape == (3, 3) and z["response"].shape == (3, len(z["azimuth_deg"]))
    assert np.trace(z["coupling"]) == pytest.approx(3)
    assert 30 < z["impedance"][0, 0].real < 45  # a quarter-wave monopole: half of a dipole's 73 ohm
    assert "monopoles of 0.24" in capsys.readouterr().out
    assert main(["antenna", str(array), "-o", str(out), "--frequency", "400e6"]) == 0
    assert np.load(out)["positions_wavelengths"][1, 1] == pytest.approx(0.4 * 400 / 433.9)


@needs_nec
def test_a_prior_makes_its_specification_complete(array, tmp_path, capsys):
    out = tmp_path / "pair.prior.safetensors"
    command = ["antenna", str(array), "--prior", str(out), "--draws", "160", "--seed", "5", "--jobs", "1"]
    assert main(["arrays", str(array)]) == 2
    assert main(command) == 0
    first = out.read_bytes()
    assert main(command) == 0 and out.read_bytes() == first
    family = load_spec(array).family
    assert family.n_elements == 3 and family.n_blocks == 3
    assert np.trace(family.centre.numpy()) == pytest.approx(3)
    assert f"{family.n_parameters} patterns of 160 draws" in capsys.readouterr().out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pair.prior.safetensors", "pair.toml"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["uca5"], "expected a table [antenna]"),
        (["nowhere.toml"], "array must be one of"),
        (["kraken5", "--frequency", "1e9"], "design_frequency_hz"),
        (["kraken5", "--prior", "no/folder/x"], "there is no folder"),
        (["kraken5", "--draws", "3"], ">= 16"),
    ],
)
def test_errors_are_one_line(more, message, capsys):
    try:
        status = main(["antenna", *more])
    except SystemExit as stop:
        status = stop.code
    said = capsys.readouterr().err
    assert status == 2 and message in said and said.count("\n") == 1
