"""Memory of every process on an archive of 100 GB, which a web server of this machine makes up as it is read."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from scale_hosts import children, memory_mib

#: channels, and samples of each that are drawn once and repeated
CHANNELS, PERIOD = 8, 1 << 16


def memory(quick: bool) -> dict[str, Any]:
    """Resident memory of the command and its workers on one recording of 100 GB, early and late."""
    size, seconds = (10**9, 15) if quick else (10**11, 150)
    frames = size // (CHANNELS * 4)
    world = {"core:datatype": "ci16_le", "core:version": "1.2.0", "core:num_channels": CHANNELS}
    world |= {"core:sample_rate": 1e6}
    meta = {"global": world, "captures": [{"core:sample_start": 0, "core:frequency": 433.92e6}], "annotations": []}
    data = np.random.default_rng(0).integers(-9000, 9000, (PERIOD, CHANNELS, 2), np.int16).tobytes()
    files = {"/r.sigmf-meta": json.dumps(meta).encode(), "/r.sigmf-data": data}
    sizes = {"/r.sigmf-meta": len(files["/r.sigmf-meta"]), "/r.sigmf-data": frames * CHANNELS * 4}
    requests = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(False)

        def do_GET(self) -> None:
            self.answer(True)

        def answer(self, body: bool) -> None:
            name = self.path
            if name not in files:
                self.send_error(404)
                return
            requests.append(name)
            start, stop = 0, sizes[name]
            asked = self.headers.get("Range", "")
            if asked.startswith("bytes="):
                low, _, high = asked[6:].partition("-")
                start, stop = int(low), min(stop, int(high or stop) + 1)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{sizes[name]}")
            else:
                self.send_response(200)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(stop - start))
            self.end_headers()
            held = files[name]
            while body and start < stop:
                at = start % len(held)
                piece = held[at : at + min(stop - start, 1 << 20)]
                self.wfile.write(piece)
                start += len(piece)

        def log_message(self, *words: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/r.sigmf-meta"
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "doamc", "estimate", url, "-o", f"{folder}/out", "--array", "ula8"]
        process = subprocess.Popen([*words, "--method", "bartlett", "--sources", "1", "--workers", "2"])
        begin = time.monotonic()
        while time.monotonic() - begin < seconds and process.poll() is None:
            time.sleep(1)
            parts = Path(folder, "out", "manifest.jsonl")
            done = parts.read_text().count('"part"') if parts.exists() else 0
            seen.append(
                (done, sorted(round(memory_mib(p)) for p in children(process.pid) if os.path.exists(f"/proc/{p}")))
            )
        process.terminate()
        process.wait(60)
    server.shutdown()
    server.server_close()
    begun = [s for s in seen if s[0]]
    early, late = begun[len(begun) // 4], begun[-1]
    return {
        "bytes": sizes["/r.sigmf-data"], "batches": frames // 256, "seconds": seconds,
        "early": {"chunks": early[0], "resident_mib": early[1]}, "late": {"chunks": late[0], "resident_mib": late[1]},
        "requests": len(requests),
    }  # fmt: skip
