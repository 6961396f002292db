"""Pictures of the dashboard for the documentation, taken in headless Chromium.

    .venv/bin/python -m scripts.screenshots_web [bearings|band|sky]

simulates an eight-element line that hears two emitters, one of them moving, and three circles on a map that hear one;
estimates everything with the default method, replays the estimates live into two dashboards, and writes
dashboard.png, dashboard_dark.png, dashboard_phone.png and dashboard_map.png into docs/images; simulates a band, finds
its signals, and writes dashboard_band.png and dashboard_band_dark.png; images a simulated sky, and writes
dashboard_sky.png. Takes some minutes.
"""

import argparse
import asyncio
import itertools
import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Browser, Page, sync_playwright

from doamc.angles import azimuth_deg
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.server import Dashboard
from doamc.estimates import Publisher, make_message
from doamc.estimates.message_values import message_values
from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.protocol import SKY_TOPIC
from doamc.scenes import draw_scene, receive
from doamc.snapshots.batch import make_batch
from doamc.spec import load_spec
from scripts.band_run import HEADING_DEG, band_messages
from scripts.demo import ROOT
from scripts.sky_run import sky_messages

IMAGES = ROOT / "docs" / "images"
RATE_HZ, SPAN_S, SNAPSHOTS = 8, 62, 128
STATIONS = (("roof", 0.0, 0.0, 90.0), ("hill", 1200.0, -300.0, 20.0), ("harbour", 700.0, 1500.0, 180.0))


def estimates(
    array: str, azimuth_deg: list[list[float]], power_db: list[float], snr_db: float, seed: int
) -> list[dict[str, Any]]:
    """Messages of a scene whose directions change from one moment to the next, with the latencies they took."""
    torch.set_num_threads(1)
    spec, generator = load_spec(array), torch.Generator().manual_seed(seed)
    estimator = open_estimator(None, spec, None, "cpu", seed)
    scene = draw_scene(spec, 1, len(power_db), snr_db, generator)
    messages = []
    for seq, angles in enumerate(azimuth_deg):
        power = 10 ** (torch.tensor([power_db], dtype=torch.float64) / 10)
        order = torch.tensor(angles).argsort()
        azimuth = torch.tensor([angles], dtype=torch.float64).deg2rad()
        now = replace(scene, azimuth=azimuth[:, order], power=power[:, order])
        begin = time.monotonic()
        batch = make_batch(receive(now, SNAPSHOTS, generator=generator).snapshots)
        started = time.monotonic()
        values = message_values(estimate_batch(estimator, batch, len(power_db)))
        spent = time.monotonic() - started
        messages.append(
            make_message(
                seq=seq, time=0.0, sample_time=seq / RATE_HZ, frequency_hz=433.92e6, array=array,
                method=estimator.name, snapshots=SNAPSHOTS, dropped_batches=0, **values,
                latency_ms={
                    "buffer": 1e3 * (started - begin), "inference": 1e3 * spent,
                    "total": 1e3 * (time.monotonic() - begin),
                },
            )
        )  # fmt: skip
    return messages


@contextmanager
def replayed(streams: list[list[dict[str, Any]]]) -> Iterator[list[str]]:
    """Publishers that send the streams at `RATE_HZ`; their addresses."""
    publishers = [Publisher("tcp://127.0.0.1:*") for _ in streams]
    end = threading.Event()

    def send() -> None:
        begin = time.monotonic()
        for k in range(len(streams[0])):
            if end.wait(max(0.0, begin + k / RATE_HZ - time.monotonic())):
                return
            for publisher, messages in zip(publishers, streams, strict=True):
                publisher.estimate(messages[k] | {"time": time.time()})

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield [p.address for p in publishers]
    finally:
        end.set()
        sender.join()
        for publisher in publishers:
            publisher.close()


@contextmanager
def served(receivers: list[Receiver]) -> Iterator[str]:
    """A dashboard; the address of its page."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    dashboard = Dashboard(receivers, port=0)
    try:
        asyncio.run_coroutine_threadsafe(dashboard.open(), loop).result(20)
        yield dashboard.url
    finally:
        asyncio.run_coroutine_threadsafe(dashboard.close(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def station_azimuths(moments: int) -> list[list[list[float]]]:
    """Azimuths at the stations of an emitter that drives along an arc, and of a weaker one that stands."""
    tracks: list[list[list[float]]] = [[] for _ in STATIONS]
    for k in range(moments):
        turn = 0.1 + 0.15 * k / moments
        places = ((850 + 260 * math.cos(turn), 500 + 260 * math.sin(turn)), (-500.0, 1300.0))
        for track, (_, east, north, heading) in zip(tracks, STATIONS, strict=True):
            track.append([azimuth_deg(math.degrees(math.atan2(e - east, n - north)), heading) for e, n in places])
    return tracks


def wait_for(page: Page, seq: int) -> None:
    """Wait until the page shows the estimate of a number, or a later one."""
    page.wait_for_function(
        "(seq) => Number(document.getElementById('seq').textContent.split(' ')[1]) >= seq", arg=seq, timeout=600_000
    )


def take(page: Page, name: str, **options: Any) -> None:
    """Write a picture of the page."""
    path: Path = IMAGES / name
    page.screenshot(path=path, **options)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} kB", flush=True)


def open_page(browser: Browser, url: str, size: tuple[int, int], theme: Any, scale: float) -> Page:
    """A page of this size in a theme."""
    viewport: Any = {"width": size[0], "height": size[1]}
    shown = browser.new_context(viewport=viewport, device_scale_factor=scale, color_scheme=theme).new_page()
    shown.goto(url)
    return shown


def band_pictures(browser: Browser) -> None:
    """Replay what is told of a simulated band, and photograph the page that shows it."""
    messages, seconds = band_messages(36.0), 36.0
    with replayed_band(messages, seconds) as address:
        with served([Receiver("roof", address, heading_deg=HEADING_DEG)]) as url:
            pages = [open_page(browser, url + "band", (1280, 900), theme, 1.0) for theme in ("light", "dark")]
            pages[0].wait_for_timeout(1e3 * (seconds + 2))
            for name, page in zip(("dashboard_band.png", "dashboard_band_dark.png"), pages, strict=True):
                page.get_by_role("button", name="433.7000").click()
                plots = page.locator("#panorama").bounding_box()
                assert plots is not None
                page.mouse.move(plots["x"] + 0.6 * plots["width"], plots["y"] + 0.3 * plots["height"])
                page.wait_for_timeout(600)
                take(page, name, full_page=True)


@contextmanager
def replayed_band(messages: list[tuple[float, str, dict[str, Any]]], seconds: float) -> Iterator[str]:
    """A publisher that sends messages at their stream times, again and again; its address."""
    end = threading.Event()
    with Publisher("tcp://127.0.0.1:*") as publisher:

        def send() -> None:
            begin, sent = time.monotonic(), Counter[str]()
            for turn in itertools.count():
                for time_s, topic, message in messages:
                    if end.wait(max(0.0, begin + turn * seconds + time_s - time.monotonic())):
                        return
                    publisher.send(topic, message | {"seq": sent[topic]})
                    sent[topic] += 1

        sender = threading.Thread(target=send)
        sender.start()
        try:
            yield publisher.address
        finally:
            end.set()
            sender.join()


def sky_picture(browser: Browser) -> None:
    """Publish images of a simulated sky until the page has them, and photograph it."""
    messages = sky_messages()
    with Publisher("tcp://127.0.0.1:*") as publisher:
        with served([Receiver("roof", publisher.address, heading_deg=90.0)]) as url:
            page = open_page(browser, url + "sky", (1280, 900), "light", 1.0)
            while page.locator("#imager-box").is_hidden():
                for message in messages:
                    publisher.send(SKY_TOPIC, message)
                page.wait_for_timeout(500)
            page.locator("#imager").select_option(label="coupling taken out")
            page.wait_for_timeout(1500)
            take(page, "dashboard_sky.png", full_page=True)


def main() -> None:
    """Estimate, replay, photograph."""
    parser = argparse.ArgumentParser(description="Pictures of the dashboard.")
    parser.add_argument("only", nargs="?", choices=("bearings", "band", "sky"), help="those of one page alone")
    only = parser.parse_args().only
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, pictures in (("bearings", bearings_pictures), ("band", band_pictures), ("sky", sky_picture)):
            if only in (None, name):
                pictures(browser)
        browser.close()


def bearings_pictures(browser: Browser) -> None:
    """Estimate and replay emitters that move, and photograph the page that shows them."""
    moments = RATE_HZ * (SPAN_S + 30)  # the rest goes on while the pictures are taken
    moving = [[-32 + 9 * math.sin(k / 90), 8 + 40 * k / moments] for k in range(moments)]
    line = estimates("ula8", moving, [0, -4], -3.0, 5)
    tracks = station_azimuths(30 * RATE_HZ)
    circles = [estimates("uca5", track, [0, -6], 3.0, 11 + i) for i, track in enumerate(tracks)]
    with replayed([line]) as (address,), served([Receiver("roof", address, heading_deg=60.0)]) as url:
        light = open_page(browser, url, (1280, 900), "light", 1.25)
        dark = open_page(browser, url, (1280, 900), "dark", 1.25)
        phone = open_page(browser, url, (390, 844), "light", 2)
        light.get_by_text("Mathematical", exact=True).click()
        wait_for(light, RATE_HZ * SPAN_S)
        take(light, "dashboard.png", full_page=True)
        take(dark, "dashboard_dark.png", full_page=True)
        take(phone, "dashboard_phone.png", clip={"x": 0, "y": 0, "width": 390, "height": 1240}, full_page=True)
    with replayed(circles) as addresses:
        rows = zip(STATIONS, addresses, strict=True)
        receivers = [Receiver(n, a, heading_deg=h, east_m=e, north_m=y) for (n, e, y, h), a in rows]
        with served(receivers) as url:
            plane = open_page(browser, url, (1280, 900), "light", 1.25)
            wait_for(plane, 10 * RATE_HZ)
            panel = plane.locator("#map-panel")
            panel.scroll_into_view_if_needed()
            panel.screenshot(path=IMAGES / "dashboard_map.png")


if __name__ == "__main__":
    main()
