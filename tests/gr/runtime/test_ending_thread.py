"""Programs that end while a thread of a block is inside torch: none of them aborts."""

import subprocess
import sys
import threading
from pathlib import Path

import gr_doamc
import pytest
from gr_doamc.runtime import ending_thread
from gr_doamc.runtime.ending_thread import EndingThread, end_all

#: works with torch until the program has ended, and on; `started` is set meanwhile
AT_WORK = """
import threading
import time
import torch

started = threading.Event()

def at_work(*arguments, **options):
    torch.set_num_threads(1)
    x, left = torch.eye(5, dtype=torch.complex64).expand(8, 5, 5), 200
    while left > 0:
        torch.cat([torch.linalg.eigh(x)[1]] * 2).sum()
        started.set()
        left -= not threading.main_thread().is_alive()
"""
PROGRAMS = {
    "a thread": """
from gr_doamc.runtime.ending_thread import EndingThread
EndingThread(at_work, "test", lambda: None).start()
""",
    "doa_estimator": """
from types import SimpleNamespace
from gr_doamc.inference.worker import Worker
listener = SimpleNamespace(on_failure=print, on_heartbeat=print, on_idle=print)
worker = Worker(SimpleNamespace(estimate=at_work), listener, 2, 1)
worker.start()
worker.put(SimpleNamespace(snapshots=None, frequency_hz=None, time=0.0))
""",
    "sky_imager": """
import gr_doamc
imager = gr_doamc.sky_imager()
imager.engine.image = at_work
imager._queue.put("visibilities")
imager._thread.start()
""",
    "phase_corrector": """
from gr_doamc.correction import alignment
alignment.align_channels = at_work
part = alignment.Alignment(2, 0, 1, 0.0)
part._complete = True
part.result()
""",
    "signal_finder": """
import gr_doamc
import numpy as np
from gnuradio import blocks, gr
from gr_doamc.inference import signal_worker
from doamc.bands.placing import Placer
Placer.__call__ = at_work
signal_worker._STOP_S = 0.0
flowgraph = gr.top_block()
finder = gr_doamc.signal_finder(array="uca5", method="music", sources=1, sample_rate=240e3, frequency=300e6)
noise = np.random.default_rng(1).standard_normal((5, 48_000, 2)).view(complex)[..., 0]
for k, row in enumerate(noise + np.tile([1, 1j, -1, -1j], 12_000)):
    flowgraph.connect(blocks.vector_source_c(row.tolist(), True), blocks.throttle(8, 240e3), (finder, k))
flowgraph.start()
""",
}


QUICK = "a thread", "signal_finder"


@pytest.mark.parametrize(
    "program",
    [pytest.param(text, id=name, marks=() if name in QUICK else pytest.mark.slow) for name, text in PROGRAMS.items()],
)
def test_a_program_that_ends_inside_torch_ends_well(program, child):
    end = "\nassert started.wait(60)\n"
    if "flowgraph" in program:
        end += "flowgraph.stop()\nflowgraph.wait()\n"
    process = child([sys.executable, "-c", AT_WORK + program + end], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()
    assert b"terminate" not in said and b"Traceback" not in said


def test_all_are_told_to_end_and_none_is_waited_for_longer_than_the_limit(monkeypatch):
    told, go = [], threading.Event()
    threads = [EndingThread(lambda: go.wait(60), "test", lambda k=k: told.append(k)) for k in range(3)]
    for thread in threads[:2]:
        thread.start()
    monkeypatch.setattr(ending_thread, "LIMIT_S", 0.0)
    end_all()
    assert {0, 1} <= set(told) and 2 not in told and threads[0].is_alive()
    go.set()
    monkeypatch.setattr(ending_thread, "LIMIT_S", 60.0)
    end_all()
    assert not threads[0].is_alive() and not threads[1].is_alive()


def test_other_threads_of_blocks_do_without_torch():
    root = Path(gr_doamc.__file__).parent
    plain = {p.stem for p in root.rglob("*.py") if "threading.Thread(" in p.read_text(encoding="utf-8")}
    assert plain == {"signal_worker", "phase_corrector"}  # one that waits, one that writes a file
