"""``doamc dashboard`` as a program of its own, and what it refuses."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from doamc.estimates import Publisher

STATIONS = '[[receiver]]\nname = "roof"\nconnect = "tcp://127.0.0.1:9"\nposition_m = [0, 0]\nheading_deg = 90\n'


def fetch(url, **headers):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        return answer.read()


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_serves_until_it_is_interrupted(program, number, status):
    with Publisher("tcp://127.0.0.1:*") as publisher:
        process = program("dashboard", "--connect", publisher.address, "--port", 0)
        url = process.stdout.readline().split()[-1]
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*/", url)
        assert b"<title>gr-doamc" in fetch(url) and json.loads(fetch(url + "export/last-minute.json")) == []
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (status, "", "")


def test_a_token_from_the_environment_opens_another_interface(program, monkeypatch):
    monkeypatch.setenv("DOAMC_TOKEN", "tell nobody of it")
    process = program("dashboard", "--host", "0.0.0.0", "--port", 0)
    url = process.stdout.readline().split()[-1].replace("0.0.0.0", "127.0.0.1")
    for given, status in ((None, 401), ("wrong", 403)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            fetch(url, **({} if given is None else {"Authorization": f"Bearer {given}"}))
        assert refused.value.code == status
        refused.value.close()
    assert b"<title>" in fetch(url, Authorization="Bearer tell nobody of it")


def test_what_is_refused(refused, tmp_path, monkeypatch):
    monkeypatch.delenv("DOAMC_TOKEN", raising=False)
    stations = tmp_path / "stations.toml"
    stations.write_text(STATIONS)
    assert "expected --token with --host 0.0.0.0" in refused("dashboard", "--host", "0.0.0.0")
    assert "expected --token with --host ::" in refused("dashboard", "--host", "::")
    assert "--port: expected a whole number <= 65535" in refused("dashboard", "--port", 70000)
    assert "expected an address" in refused("dashboard", "--connect", "nowhere", "--port", 0)
    assert "not allowed with" in refused("dashboard", "--connect", "tcp://127.0.0.1:9", "--config", stations)
    assert "without --config" in refused("dashboard", "--config", stations, "--heading-deg", 10)
    assert "within 0 to 360" in refused("dashboard", "--heading-deg", 400)
    assert "cannot read" in refused("dashboard", "--config", tmp_path / "none.toml")
    assert "no such folder" in refused("dashboard", "--recordings", tmp_path / "none", "--port", 0)
    assert "expected a token of 16 to 200" in refused("dashboard", "--token", "a" * 15, "--port", 0)
    assert "without --config" in refused("dashboard", "--config", stations, "--server-key", tmp_path / "x.key")
    assert "cannot read the key" in refused("dashboard", "--server-key", tmp_path / "x.key", "--port", 0)
    assert "cannot listen on 192.0.2.1" in refused("dashboard", "--host", "192.0.2.1", "--token", "x" * 16, "--port", 0)


def test_without_aiohttp_it_says_what_to_install():
    code = (
        "import sys; sys.modules['aiohttp'] = None; from doamc.cli import main; "
        "sys.exit(main(['dashboard', '--port', '0']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, env=os.environ)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "pip install 'gr-doamc[dashboard]'" in done.stderr


def test_serving_loads_neither_torch_nor_gnu_radio():
    code = (
        "import sys, doamc.dashboard.server; "
        "print([m for m in ('torch', 'scipy', 'gnuradio', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
