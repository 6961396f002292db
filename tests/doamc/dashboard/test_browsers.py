"""Queues of browsers: bounded, and one that stalls holds up nobody."""

import asyncio
import json

from doamc.dashboard.browsers import Browser, Browsers


class Socket:
    """Takes texts once it is opened; before that it is a full transport."""

    def __init__(self, open_=True):
        self.taken, self.open = [], asyncio.Event()
        if open_:
            self.open.set()

    async def send_str(self, data):
        await self.open.wait()
        self.taken.append(data)


def test_a_stalled_browser_loses_the_oldest_and_is_told_when_it_wakes():
    async def scenario():
        slow, quick = Socket(open_=False), Socket()
        browsers, pair = Browsers(), [Browser(slow, queue=10), Browser(quick, queue=10)]
        pumps = [asyncio.create_task(c.pump()) for c in pair]
        for browser in pair:
            browsers.add(browser)
        for k in range(100):
            browsers.broadcast(str(k))
            await asyncio.sleep(0)  # time for one send
        assert quick.taken == [str(k) for k in range(100)]
        assert slow.taken == [] and pair[0].dropped == 100 - 10 - 1  # one is on its way
        assert browsers.counts() == {"clients": 2, "dropped": 89}
        slow.open.set()
        while len(slow.taken) < 12:
            await asyncio.sleep(0)
        assert slow.taken[:-1] == ["0", *map(str, range(90, 100))]
        assert json.loads(slow.taken[-1]) == {"type": "skipped", "frames": 89}
        for browser, pump in zip(pair, pumps, strict=True):
            browsers.remove(browser)
            pump.cancel()
        browsers.broadcast("x")
        assert len(browsers) == 0 and quick.taken[-1] == "99"
        await asyncio.gather(*pumps, return_exceptions=True)

    asyncio.run(scenario())


def test_a_browser_that_leaves_ends_its_pump():
    class Gone:
        async def send_str(self, data):
            raise ConnectionResetError

    async def scenario():
        browser = Browser(Gone())
        browser.offer("a")
        await asyncio.wait_for(browser.pump(), 5)

    asyncio.run(scenario())
