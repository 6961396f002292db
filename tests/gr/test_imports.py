import json
import subprocess
import sys

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
