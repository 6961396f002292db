"""``doamc locate``: from logs to positions, wherever it runs, however often it was ended."""

import json
from itertools import pairwise

import numpy as np
import pytest

from doamc.cluster.manifest import Manifest
from doamc.estimates import Recorder, read_records, validate
from doamc.places.geodesy import bearing_of, ecef_m
from tests.doamc.cli.test_cli_scan import SCENE
from tests.doamc.estimates.test_bearing_log import estimate, written
from tests.doamc.places.scenes import ORIGIN, place
from tests.doamc.store import BUCKET, object_store, tree, web_server

STATIONS = {"hill": (2e3, 9e3), "mast": (8e3, 2e3), "roof": (0.0, 0.0)}
EMITTERS = {433.9e6: (12e3, 11e3), 868.3e6: (-4e3, 5e3)}
COUNT = 6


def heard(station, emitter, rng):
    """Bearing of an emitter, degrees, with an error of 1 degree, and the receiver's place."""
    lat, lon = (float(v) for v in place(*station))
    bearing = np.degrees(bearing_of(lat, lon, ecef_m(*place(*emitter)))) + rng.standard_normal()
    return float(bearing), {"latitude": float(np.degrees(lat)), "longitude": float(np.degrees(lon))}


def messages(station, rng, heading=30.0, count=COUNT):
    """Estimates of a station, of both emitters, 10 s apart."""
    for k in range(count):
        for frequency, emitter in EMITTERS.items():
            bearing, receiver = heard(station, emitter, rng)
            made = estimate(10 * k, (heading - bearing,), (1.0,), heading, receiver=receiver)
            yield made | {"frequency_hz": frequency}


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """A log of each station: one of lines, one table, one database."""
    folder = tmp_path_factory.mktemp("logs")
    rng = np.random.default_rng(1)
    for (name, station), suffix in zip(STATIONS.items(), (".jsonl", ".csv", ".sqlite"), strict=True):
        written(folder, suffix, messages(station, rng)).rename(folder / f"{name}{suffix}")
    return folder


def off_m(position, emitter):
    x = ecef_m(np.radians(position["latitude_deg"]), np.radians(position["longitude_deg"]))
    return float(np.linalg.norm(x - ecef_m(*place(*emitter))))


def test_logs_of_all_kinds_become_positions(doamc, logs, tmp_path):
    status, text, err = doamc("locate", logs, "-o", tmp_path / "p.jsonl")
    assert (status, err) == (0, "") and "2 positions, 3 stations, 1 windows" in text
    positions = list(read_records(tmp_path / "p.jsonl"))
    for position, (frequency, emitter) in zip(positions, EMITTERS.items(), strict=True):
        validate(position)
        assert position["frequency_hz"] == frequency and position["bounded"]
        assert off_m(position, emitter) < 1.5 * position["ellipse"]["semi_major_m"] < 2500
        assert [s["name"] for s in position["stations"]] == list(STATIONS)
        assert position["bearings"] + position["left_out"] == 3 * COUNT
        assert (position["first_time"], position["last_time"]) == (1.79e9, 1.79e9 + 10 * (COUNT - 1))


def test_a_map_opens_them(doamc, logs, tmp_path):
    doamc("locate", logs, "-o", tmp_path / "p.jsonl")
    doamc("locate", logs, "-o", tmp_path / "p.geojson")
    made = json.loads((tmp_path / "p.geojson").read_text())
    points, rings = ([f for f in made["features"] if f["geometry"]["type"] == kind] for kind in ("Point", "Polygon"))
    for point, ring, position in zip(points, rings, read_records(tmp_path / "p.jsonl"), strict=True):
        assert point["geometry"]["coordinates"] == [position["longitude_deg"], position["latitude_deg"]]
        (corners,) = np.array(ring["geometry"]["coordinates"])
        assert (corners[0] == corners[-1]).all()
        area = 0.5 * np.sum(corners[:-1, 0] * corners[1:, 1] - corners[1:, 0] * corners[:-1, 1])
        assert area > 0  # counter-clockwise
        metres = np.radians(corners - corners[:-1].mean(0)) * 6.37e6 * [np.cos(ORIGIN[0]), 1.0]
        reach = np.linalg.norm(metres, axis=1)
        assert [reach.max(), reach.min()] == pytest.approx(
            [position["ellipse"]["semi_major_m"], position["ellipse"]["semi_minor_m"]], rel=0.02
        )


def test_results_among_the_logs_are_no_stations(refused, doamc, logs, tmp_path):
    """Positions and manifests of earlier runs in the folder of the logs, of any name; others without bearings."""
    for path in logs.iterdir():
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    folder = tmp_path / "in"
    assert doamc("locate", folder, "-o", folder / "found.jsonl")[::2] == (0, "")
    assert doamc("locate", folder, "-o", folder / "found.jsonl")[::2] == (0, "")  # takes the place of itself
    whole = (folder / "found.jsonl").read_bytes()
    assert doamc("locate", folder, "-o", folder / "week", "--workers", 0)[0] == 0
    status, text, err = doamc("locate", folder, "-o", tmp_path / "b.jsonl")
    assert status == 0 and "2 positions, 3 stations" in text and (tmp_path / "b.jsonl").read_bytes() == whole
    assert err == "".join(
        f"doamc: {name}: passed over, since it holds positions that doamc locate wrote\n"
        for name in ("found.jsonl", "week/positions.jsonl")
    )
    (folder / "chain.jsonl").write_text('{"schema":"doamc.status/1"}\n')
    _, text, err = doamc("locate", folder, "-o", tmp_path / "b.jsonl")
    assert "3 stations" in text and "doamc: warning: chain.jsonl: no bearings in it" in err.splitlines()
    assert doamc("locate", folder, "-o", folder / "map.geojson")[0] == 0
    assert "found.jsonl, positions that doamc locate wrote; name the logs of stations" in refused(
        "locate", folder / "found.jsonl", folder / "map.geojson", "-o", tmp_path / "c.jsonl"
    )
    assert "another file than those that are read" in refused("locate", folder, "-o", folder / "hill.jsonl")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "p.jsonl").touch()
    assert "p.jsonl alone, which is to be written" in refused(
        "locate", tmp_path / "new", "-o", tmp_path / "new" / "p.jsonl"
    )


def test_windows_frequencies_and_numbers_are_cut(doamc, logs, tmp_path):
    doamc("locate", logs, "-o", tmp_path / "p.jsonl", "--window", 20, "--frequency", 433.9e6)
    positions = list(read_records(tmp_path / "p.jsonl"))
    assert [(p["first_time"], p["last_time"]) for p in positions] == [
        (1.79e9 + t, 1.79e9 + t + 10) for t in (0, 20, 40)
    ]
    assert {p["frequency_hz"] for p in positions} == {433.9e6}


def test_a_station_is_told_by_hand_or_in_the_file_of_the_dashboard(doamc, tmp_path):
    rng = np.random.default_rng(2)
    told, toml = [], ""
    for name, station in STATIONS.items():
        bare = [m | {"receiver": {}, "heading_deg": None} for m in messages(station, rng)]
        for source in (s for m in bare for s in m["sources"]):
            del source["bearing_deg"]
        written(tmp_path, ".jsonl", bare).rename(tmp_path / f"{name}.jsonl")
        lat, lon = np.degrees(place(*station))
        told += ["--station", f"{name}={lat},{lon},30"]
        toml += (
            f'[[receiver]]\nname = "{name}"\nconnect = "tcp://127.0.0.1:{6000 + len(toml)}"\nheading_deg = 30.0\n'
            f"latitude = {lat}\nlongitude = {lon}\n"
        )
    (tmp_path / "stations.toml").write_text(toml)
    source = ("locate", *(tmp_path / f"{n}.jsonl" for n in STATIONS))
    assert doamc(*source, "-o", tmp_path / "a.geojson", *told)[0] == 0
    assert doamc(*source, "-o", tmp_path / "b.geojson", "--stations", tmp_path / "stations.toml")[0] == 0
    assert (tmp_path / "a.geojson").read_bytes() == (tmp_path / "b.geojson").read_bytes()
    status, _, err = doamc(*source, "-o", tmp_path / "c.geojson", *told[:4])
    assert status == 0 and f"roof.jsonl: {2 * COUNT} messages without a place of the station" in err


def test_what_cannot_cross_is_refused_in_one_line(refused, doamc, logs, tmp_path):
    out = ("-o", tmp_path / "p.jsonl")
    assert "from two places at least, found all of one (48.0" in refused("locate", logs / "roof.sqlite", *out)
    assert "none; ask for another frequency" in refused("locate", logs, *out, "--frequency", 1e9)
    assert "expected a station of hill, mast, roof, found attic" in refused(
        "locate", logs, *out, "--station", "attic=1,2"
    )
    assert "--format jsonl" in refused("locate", logs, *out, "--format", "geojson")
    assert "expected NAME=LAT,LON" in refused("locate", logs, *out, "--station", "roof")
    bare = written(tmp_path, ".jsonl", [estimate(0, receiver={})])
    status, text, err = doamc("locate", bare, *out)
    assert (status, text) == (2, "") and "add" not in err and "--station NAME=LAT,LON,HEADING" in err
    assert not (tmp_path / "p.jsonl").exists()


def test_parallel_bearings_have_no_end(doamc, tmp_path):
    """A wedge to the end of the map, which the region is then, and a point in it."""
    for name, east in (("a", -200.0), ("b", 200.0)):
        lat, lon = (float(np.degrees(v)) for v in place(east, 0.0))
        written(tmp_path, ".jsonl", [estimate(0, (100.0,), (1.0,), 100.0, receiver={"latitude": lat, "longitude": lon})]
                ).rename(tmp_path / f"{name}.jsonl")  # fmt: skip
    status, _, err = doamc("locate", tmp_path / "a.jsonl", tmp_path / "b.jsonl", "-o", tmp_path / "p.geojson")
    assert status == 0 and "1 of 1 positions without a range" in err
    made = json.loads((tmp_path / "p.geojson").read_text())["features"]
    assert [f["geometry"]["type"] for f in made] == ["Point", "MultiPolygon"]
    (ring,) = made[1]["geometry"]["coordinates"][0]
    far = max(np.linalg.norm(ecef_m(*np.radians(corner[::-1])) - ecef_m(*ORIGIN)) for corner in ring)
    assert ring[0] == ring[-1] and far > 9e4
    assert doamc("locate", tmp_path / "a.jsonl", tmp_path / "b.jsonl", "-o", tmp_path / "p.out.jsonl")[0] == 0
    (position,) = read_records(tmp_path / "p.out.jsonl")
    validate(position)
    assert position["region"]["coordinates"] == made[1]["geometry"]["coordinates"]
    assert made[0]["properties"]["ellipse"]["semi_major_m"] is None and not made[0]["properties"]["bounded"]


def test_a_region_across_a_pole_goes_along_it(doamc, tmp_path):
    """Two stations 100 km from the north pole, on either side of it, that look at each other: a lens over it."""
    for name, longitude in (("a", -120.0), ("b", 60.0)):
        told = {"latitude": 89.1, "longitude": longitude}
        written(tmp_path, ".jsonl", [estimate(0, (30.0,), (1.0,), 30.0, receiver=told)]).rename(
            tmp_path / f"{name}.jsonl"
        )
    logs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    assert doamc("locate", *logs, "-o", tmp_path / "p.geojson", "--region", 500)[0] == 0
    assert doamc("locate", *logs, "-o", tmp_path / "p.out.jsonl", "--region", 500)[0] == 0
    (position,) = read_records(tmp_path / "p.out.jsonl")
    validate(position)
    shapes = json.loads((tmp_path / "p.geojson").read_text())["features"][1]["geometry"]["coordinates"]
    assert shapes == position["region"]["coordinates"]
    ((ring,),) = shapes
    assert ring[0] == ring[-1] and [-180.0, 90.0] in ring and [180.0, 90.0] in ring
    assert max(abs(b[0] - a[0]) for a, b in pairwise(ring) if a[1] < 90.0) < 25.0


def test_the_same_bits_in_a_folder_ended_and_continued(doamc, logs, tmp_path, monkeypatch):
    words = ("locate", logs, "--window", 20, "--workers", 0)
    assert doamc(*words, "-o", tmp_path / "p.jsonl")[0] == 0
    assert doamc(*words, "-o", tmp_path / "whole")[0] == 0
    assert (tmp_path / "whole" / "positions.jsonl").read_bytes() == (tmp_path / "p.jsonl").read_bytes()
    add, count = Manifest.add_part, []

    def ended(self, *arguments):
        if len(count) == 1:
            raise KeyboardInterrupt
        count.append(arguments[1])
        add(self, *arguments)

    monkeypatch.setattr(Manifest, "add_part", ended)
    assert doamc(*words, "-o", tmp_path / "out")[0] == 130
    assert sorted(tree(tmp_path / "out")) == ["manifest.jsonl"] or ".parts" in str(sorted(tree(tmp_path / "out")))
    monkeypatch.setattr(Manifest, "add_part", lambda self, *a: (count.append(a[1]), add(self, *a)))
    assert doamc(*words, "-o", tmp_path / "out")[0] == 0
    assert (tmp_path / "out" / "positions.jsonl").read_bytes() == (tmp_path / "p.jsonl").read_bytes()
    assert len(count) == len(set(count)) == 3  # each window once
    assert "was complete" in doamc(*words, "-o", tmp_path / "out")[1] and len(count) == 3


def test_a_log_that_cannot_be_read_is_set_aside(doamc, logs, tmp_path):
    for path in logs.iterdir():
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "in" / "tower.sqlite").write_bytes(b"no database" * 100)
    status, text, err = doamc("locate", tmp_path / "in", "-o", tmp_path / "out", "--workers", 0)
    assert status == 1 and "2 positions" in text and "set aside: tower.sqlite: cannot read" in err
    told = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()]
    assert {t["failed"] for t in told if "failed" in t} == {"tower.sqlite"}
    (tmp_path / "in" / "tower.sqlite").unlink()  # the same folder is then done anew
    assert doamc("locate", tmp_path / "in", "-o", tmp_path / "out", "--workers", 0)[0] == 2  # of other stations


def test_why_a_log_is_set_aside_is_told_where_the_rest_is_refused_too(doamc, logs, tmp_path):
    other = tmp_path / "tower.csv"
    other.write_text("a,b\n1,2\n")
    one = next(path for path in logs.iterdir() if path.name.startswith("hill"))
    status, text, err = doamc("locate", one, other, "-o", tmp_path / "p.jsonl")
    assert status == 2 and text == ""
    assert err.startswith("doamc: set aside: tower.csv: expected ") and "found all of one" in err.splitlines()[1]


def test_logs_in_a_store_and_on_a_server(doamc, refused, logs, tmp_path, monkeypatch):
    with object_store(monkeypatch) as put, web_server(logs) as address:
        for path in logs.glob("*[lv]"):  # lines and a table
            put(f"logs/{path.name}", path.read_bytes())
        assert doamc("locate", f"s3://{BUCKET}/logs", "-o", tmp_path / "a.jsonl")[0] == 0
        urls = [f"{address}/{name}" for name in ("hill.jsonl", "mast.csv")]
        assert doamc("locate", *urls, "-o", tmp_path / "b.jsonl")[0] == 0
        assert "a file of this machine, found a URL; copy it" in refused(
            "locate", f"{address}/roof.sqlite", "-o", tmp_path / "c.jsonl"
        )
    assert doamc("locate", logs / "hill.jsonl", logs / "mast.csv", "-o", tmp_path / "c.jsonl")[0] == 0
    here = (tmp_path / "c.jsonl").read_bytes()
    assert here == (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_too_many_bearings_at_once_are_set_aside(doamc, logs, tmp_path, monkeypatch):
    monkeypatch.setattr("doamc.cli.locate_work._MOST_MESSAGES", 5)
    status, _, err = doamc("locate", logs, "-o", tmp_path / "p.jsonl")
    assert status == 1 and "cut them with --window" in err


@pytest.mark.slow
def test_two_workers_give_the_same_bits(doamc, logs, tmp_path):
    words = ("locate", logs, "--window", 10)
    assert doamc(*words, "-o", tmp_path / "one", "--workers", 0)[0] == 0
    assert doamc(*words, "-o", tmp_path / "two", "--workers", 2)[0] == 0
    one, two = ((tmp_path / k / "positions.jsonl").read_bytes() for k in ("one", "two"))
    assert one == two and one.count(b"\n") == 2 * COUNT


def test_scans_of_recordings_that_tell_their_places(doamc, tmp_path):
    """A transmitter abeam of two line arrays that look at it, 2 km apart: where their boresights cross."""
    (tmp_path / "scene.toml").write_text(SCENE)
    boresights = {"east": (2e3, 0.0, 315.0), "west": (-2e3, 0.0, 45.0)}
    for name, (east, north, heading) in boresights.items():
        path = tmp_path / f"{name}.sigmf-meta"
        assert doamc("simulate", "ula4", "--band", tmp_path / "scene.toml", "-o", path, "--datatype", "ci16_le")[0] == 0
        lat, lon = (float(np.degrees(v)) for v in place(east, north))
        metadata = json.loads(path.read_text())
        metadata["global"]["core:geolocation"] = {"type": "Point", "coordinates": [lon, lat]}
        path.write_text(json.dumps(metadata))
        how = ("--array", "ula4", "--method", "music", "--sources", 1, "--heading", heading)
        assert doamc("scan", path, "-o", tmp_path / f"{name}.jsonl", *how)[0] == 0
    logs = [tmp_path / f"{name}.jsonl" for name in boresights]
    signals = list(read_records(logs[0]))
    assert {tuple(s["receiver"].values()) for s in signals} == {tuple(np.degrees(place(2e3, 0.0)))}
    first = signals[0]["id"]
    status, text, _ = doamc("locate", *logs, "-o", tmp_path / "p.jsonl", "--signal", first)
    assert status == 0 and "1 positions, 2 stations" in text
    (position,) = read_records(tmp_path / "p.jsonl")
    azimuth = signals[0]["sources"][0]["azimuth_deg"]
    angles = np.radians([315.0 - azimuth, 45.0 - azimuth])  # two lines from (2, 0) and (-2, 0) km
    lines = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    reach = np.linalg.solve(np.stack([lines[0], -lines[1]], axis=1), [-4e3, 0.0])
    assert off_m(position, (2e3 + reach[0] * lines[0, 0], reach[0] * lines[0, 1])) < 200


def test_folders_of_logs_are_stations(doamc, tmp_path):
    rng = np.random.default_rng(5)
    for name, station in STATIONS.items():
        for day in ("1", "2"):
            (tmp_path / "in" / name).mkdir(parents=True, exist_ok=True)
            with Recorder(tmp_path / "in" / name / f"{day}.jsonl") as log:
                for message in messages(station, rng, count=2):
                    log.write(message)
    assert doamc("locate", tmp_path / "in", "-o", tmp_path / "p.jsonl")[0] == 0
    for position in read_records(tmp_path / "p.jsonl"):
        assert [(s["name"], s["bearings"] > 0) for s in position["stations"]] == [(n, True) for n in STATIONS]
        assert position["bearings"] + position["left_out"] == 3 * 2 * 2
