"""Files at URLs of this machine: an object store that speaks S3 (moto) and a web server, both on loopback."""

import os
import socket
import threading
from contextlib import contextmanager
from urllib.request import Request, urlopen

BUCKET = "recordings"


@contextmanager
def object_store(monkeypatch):
    """A store with one empty bucket; put(key, bytes) fills it. s3:// URLs lead to it, in child processes as well."""
    import boto3
    import fsspec
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    try:
        urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()  # its state is of the process
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield lambda key, data: client.put_object(Bucket=BUCKET, Key=key, Body=data)
        client.close()
    finally:
        server.stop()
        fsspec.get_filesystem_class("s3").clear_instance_cache()


@contextmanager
def web_server(folder, tls=None):
    """Address of a web server for the files of a folder, which knows ranges; tls: the context of https://."""
    import asyncio

    from aiohttp import web

    ready, begun = threading.Event(), []

    async def serve():
        app = web.Application()
        app.router.add_static("/", folder, show_index=True)
        runner, ended = web.AppRunner(app), asyncio.Event()
        await runner.setup()
        listener = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(runner, listener, ssl_context=tls).start()
        address = f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        begun.extend([asyncio.get_running_loop(), ended, address])
        ready.set()
        await ended.wait()
        await runner.cleanup()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(60)
    loop, ended, address = begun
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(60)
        assert not thread.is_alive()


def tree(folder):
    """Files of a folder by their names below it, in order."""
    found = {}
    for where, _, files in os.walk(folder):
        for file in files:
            path = os.path.join(where, file)
            with open(path, "rb") as content:
                found[os.path.relpath(path, folder)] = content.read()
    return dict(sorted(found.items()))
