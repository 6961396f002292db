import json
import re
import subprocess
import sys
from pathlib import Path

import gr_doamc
import pytest

CODE = """
import json, sys, time
from gnuradio import gr, blocks
import numpy, pmt
begin = time.process_time()
import gr_doamc
spent = time.process_time() - begin
heavy = ("torch", "scipy", "sigmf", "zmq", "jsonschema", "PyQt5", "PyQt6", "matplotlib")
print(json.dumps([spent, [m for m in heavy if m in sys.modules]]))
"""


def test_importing_the_blocks_is_quick_and_loads_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=True)
    spent, loaded = json.loads(done.stdout.splitlines()[-1])
    assert loaded == []
    assert spent < 0.3


def test_the_library_does_not_load_gnuradio():
    code = "import sys, doamc.estimators, doamc.estimates, doamc.snapshots; print('gnuradio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"


#: rooms of gr_doamc; each imports of the others those in its line
ROOMS = {
    "runtime": set(),
    "sources": {"runtime"},
    "correction": {"runtime"},
    "snapshots": {"runtime"},
    "separation": {"runtime"},
    "inference": {"runtime"},
    "estimates": {"runtime"},
    "views": {"runtime"},
}


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_of_blocks_share_only_the_runtime(room):
    files = (Path(gr_doamc.__file__).parent / room).glob("*.py")
    found = {m for path in files for m in re.findall(r"(?:from|import) gr_doamc\.(\w+)", path.read_text())}
    assert found - {room} <= ROOMS[room]
