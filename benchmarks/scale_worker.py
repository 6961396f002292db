"""What the workers of benchmarks/scale.py run, and the workers that are threads of one process."""

import asyncio
import os
import sys
import time
from typing import Any


def timed(task: dict[str, Any]) -> dict[str, float]:
    """Estimates chunks of an input; the s that it took, by the clock and by the processor."""
    from doamc.cli.archive_work import chunks

    begin, processor = time.monotonic(), time.process_time()
    chunks(task)
    return {"seconds": time.monotonic() - begin, "processor": time.process_time() - processor}


def sleep(task: float) -> float:
    time.sleep(task)
    return task


def blob(task: int) -> bytes:
    return os.urandom(task)


async def many(address: str, count: int) -> None:
    """So many workers of one thread each, in this process, until they are ended."""
    from distributed import Worker

    workers = [Worker(address, nthreads=1, memory_limit=0, dashboard=False, name=k) for k in range(count)]
    await asyncio.gather(*workers)
    await asyncio.gather(*(w.finished() for w in workers))


if __name__ == "__main__":
    asyncio.run(many(sys.argv[1], int(sys.argv[2])))
