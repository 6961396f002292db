"""An event loop that is all that the main thread does."""

import asyncio
from collections.abc import Awaitable, Callable

from doamc.signals import uninterrupted


def run_loop(make: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine in an event loop of its own, until it ends or a signal cancels it.

    Raised within a loop, as elsewhere, the exception of a signal would come out of whichever coroutine runs, and leave
    others that nobody awaits. The signal is obeyed once the loop is closed. make: gives the coroutine, within the loop.
    """
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = []
    ended: list[bool] = []

    def cancel() -> None:
        ended.append(True)
        for loop, task in running:
            loop.call_soon_threadsafe(task.cancel)

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        running.append((asyncio.get_running_loop(), task))
        try:
            if not ended:
                await make()
        finally:
            running.clear()  # the loop closes

    with uninterrupted(cancel):
        try:
            asyncio.run(main())
        except asyncio.CancelledError:
            if not ended:
                raise
