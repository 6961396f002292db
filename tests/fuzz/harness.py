"""One input at a time, under a watchdog: refused by an error of ours, accepted, or a finding.

A finding is any other exception, a warning, a message of more than a line, a hang, memory, or a file left half-written.
"""

import faulthandler
import json
import resource
import shutil
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from doamc.errors import DoamcError, SlowWarning

#: bars of an input: s, and bytes that a process may have taken while it was used
PATIENCE_S, MEMORY = 10.0, 1 << 30
MOST_LOADED = 10.0  #: times the patience, on a busy computer, after which the process ends whatever it was doing
#: a message of an error, characters; the command line shortens it further
MESSAGE = 2000
#: beyond its bar by so much, a process ends: what runs in C cannot be interrupted
_END_S, _END_BYTES = 20.0, 8 << 30


@dataclass(frozen=True)
class Target:
    """What reads input of one kind.

    draw(random): an input. use(data, folder): read it, in an empty folder; raises DoamcError where it refuses it.
    """

    name: str
    draw: Callable[[Random], bytes]
    use: Callable[[bytes, Path], None]


@dataclass
class Count:
    """What came of the inputs. findings: kind of finding -> how often."""

    target: str
    inputs: int = 0
    refused: int = 0
    accepted: int = 0
    slowest_ms: float = 0.0
    peak_mib: float = 0.0
    findings: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


class Hang(BaseException):
    """An input took longer than `PATIENCE_S`, times when it waited for a processor left out."""


class Finding(Exception):
    """An input was used, but left something that it should not have."""


def judge(target: Target, data: bytes, folder: Path) -> bool:
    """Use an input; whether it was accepted. Raises what is a finding; `folder` is empty before and after."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", SlowWarning)
            warnings.simplefilter("ignore", ResourceWarning)
            target.use(data, folder)
        accepted = True
    except DoamcError as error:
        text = str(error)
        if not text or len(text) > MESSAGE:
            raise Finding(f"a message of {len(text)} characters") from error
        accepted = False
    finally:
        left = [p.name for p in folder.rglob("*") if p.is_file() and (p.name[0] == "." or p.suffix == ".part")]
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if left:
        raise Finding(f"half-written files: {left[:3]}")
    return accepted


def run(
    target: Target, seed: int, minutes: float, inputs: int, out: Path | None, report_s: float = 5.0,
    report: Callable[[Count], None] = lambda count: None,
) -> Count:  # fmt: skip
    """Draw and use inputs until time or number is up; process of its own, main thread.

    out: folder of what was found: for each finding the input, smaller where possible, and what was raised. report:
    called every so often.
    """
    resource.setrlimit(resource.RLIMIT_DATA, (_END_BYTES, _END_BYTES))
    count, random, end = Count(target.name), Random(f"{target.name} {seed}"), time.monotonic() + 60 * minutes
    told = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="doamc-fuzz-") as name:
        folder = Path(name) / "in"
        folder.mkdir()
        while count.inputs < inputs and time.monotonic() < end:
            data = target.draw(random)
            if out is not None:
                (out / f"{target.name}.now").write_bytes(data)
            _one(target, data, folder, count, out)
            if time.monotonic() - told > report_s:
                told = time.monotonic()
                report(count)
    if out is not None:
        (out / f"{target.name}.now").unlink(missing_ok=True)
    report(count)
    return count


def _one(target: Target, data: bytes, folder: Path, count: Count, out: Path | None) -> None:
    begin, error = time.perf_counter(), None
    try:
        accepted = watched(target, data, folder)
        count.accepted += accepted
        count.refused += not accepted
    except (Exception, Hang) as caught:
        error = caught
    count.inputs += 1
    count.slowest_ms = max(count.slowest_ms, 1e3 * (time.perf_counter() - begin))
    peak = _peak_bytes()
    count.peak_mib = max(count.peak_mib, peak / 2**20)
    if error is None and peak > MEMORY:
        error = Finding("memory beyond the bar")
    if error is None:
        return
    kind = kind_of(error)
    count.findings[kind] = count.findings.get(kind, 0) + 1
    if out is not None and count.findings[kind] == 1:
        stem = out / f"{target.name}-{len(count.findings)}"
        stem.with_suffix(".txt").write_text("".join(traceback.format_exception(error)))
        stem.with_suffix(".input").write_bytes(data)
        if not isinstance(error, Hang) and peak <= MEMORY:
            stem.with_suffix(".input").write_bytes(smaller(target, data, folder, kind, watched))


def watched(target: Target, data: bytes, folder: Path) -> bool:
    """`judge` under the bars of time and memory."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    faulthandler.dump_traceback_later(MOST_LOADED * PATIENCE_S + _END_S, exit=True)
    end_s = time.monotonic() - _queued_s() + PATIENCE_S

    def alarm(number: int, frame: object) -> None:
        left_s = end_s - time.monotonic() + _queued_s()
        if left_s <= 0.01:
            raise Hang(f"longer than {PATIENCE_S:g} s")
        signal.setitimer(signal.ITIMER_REAL, left_s)  # others had the processor

    signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
    try:
        return judge(target, data, folder)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()


def kind_of(error: BaseException) -> str:
    """Type of an error and where it was raised: the innermost line of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "doamc" in f.filename and "/tests/" not in f.filename] or frames
    where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "nowhere"
    return f"{type(error).__name__} at {where}: {' '.join(str(error).split())[:100]}"


def smaller(
    target: Target, data: bytes, folder: Path, kind: str, use: Callable[[Target, bytes, Path], bool] = judge
) -> bytes:
    """Input with parts left out that the finding does not need."""
    tries = 150
    step, end = len(data) // 2, time.monotonic() + 20.0
    while step and tries:
        at = 0
        while at < len(data) and tries and time.monotonic() < end:
            less = data[:at] + data[at + step :]
            tries -= 1
            try:
                use(target, less, folder)
                same = False
            except (Exception, Hang) as error:
                same = kind_of(error).split(":")[0:2] == kind.split(":")[0:2]
            data, at = (less, at) if same else (data, at + step)
        step //= 2
    return data


def _peak_bytes() -> int:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _queued_s() -> float:
    """How long this thread has waited for a processor in its life, s; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
