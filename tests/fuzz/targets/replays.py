"""Recordings that an emulator is to replay as they were received: what their annotations tell is anybody's."""

import json
from functools import cache
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

import numpy as np

from doamc.errors import ReceiverError
from doamc.krakensdr.version1.replay import Replay as Frames
from doamc.krakensdr.version2.emulator.replay import Replay
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.stream_record import StreamRecorder
from tests.fuzz.harness import Target
from tests.fuzz.mutate import spoiled

CHANNELS, PACKET, PACKETS = 3, 40, 6
RUN = {
    "reason": "noise_source", "packets": 2, "retuned": True, "phase_state": 1, "noise_source": True, "retuning": False,
    "samples": PACKET, "frequency_hz": 433.9e6, "gains_db": CHANNELS * [20.7],
}  # fmt: skip
NOTES: list[dict[str, Any]] = [
    {"core:sample_start": 0, "doamc:gains_db": CHANNELS * [20.7], "doamc:sync_state": 4, "doamc:packet_samples": PACKET,
     "doamc:connected": True, "doamc:kept_back": {"noise_source": 2}, "doamc:between": [RUN]},
    {"core:sample_start": 2 * PACKET, "doamc:kept_back": {"lost": 1, "settling": 3}, "doamc:overdriven": [1],
     "doamc:between": [{"reason": "lost", "packets": 1}, RUN | {"reason": "settling", "noise_source": False}]},
    {"core:sample_start": 3 * PACKET, "doamc:gains_db": CHANNELS * [None], "doamc:connected": True},
]  # fmt: skip


@cache
def _recording() -> tuple[dict[str, Any], bytes]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.sigmf-meta"
        with StreamRecorder(path) as recorder:
            for frequency_hz in (433.9e6, 868.3e6):
                samples = np.zeros((CHANNELS, PACKET * PACKETS // 2), np.complex64)
                recorder.write(samples, 1e5, frequency_hz, 1.7e9, True)
        return json.loads(path.read_text()), path.with_suffix(".sigmf-data").read_bytes()


def draw(random: Random) -> bytes:
    """Annotations, spoiled."""
    return json.dumps(spoiled(NOTES, random, tuple(NOTES[0]) + tuple(RUN), ([RUN], RUN))).encode()


def use(data: bytes, folder: Path) -> None:
    """Replayed by both versions, or refused by both or one; what is sent is what packets and frames can be."""
    table, samples = _recording()
    path = folder / "a.sigmf-meta"
    path.write_text(json.dumps(table | {"annotations": json.loads(data)}))
    path.with_suffix(".sigmf-data").write_bytes(samples)
    recording = Recording(path)
    try:
        frames = Frames(recording, 64)
        frames.start(False, Event())
        for _ in range(50):
            frame = frames.next()
            assert frame is None or len(frame[0].pack()) == 1024
    except ReceiverError:
        pass
    stream = Replay(recording)
    for _ in range(50):
        assert stream.due_s >= stream.played_s >= 0
        for parcel in stream.next()[0]:
            assert sum(map(len, parcel.parts)) > 32
        assert stream.condition.frequency_hz >= 0


TARGETS = (Target("replay", draw, use),)
