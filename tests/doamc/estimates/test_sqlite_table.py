"""The log as a database: opened by plain SQLite at any time, in whole transactions, bounded, and lost by no lock."""

import signal
import sqlite3
import sys
from contextlib import closing

import pytest

from doamc.errors import RecordingError
from doamc.estimates import sqlite_table
from doamc.estimates.log_rows import COLUMNS
from doamc.estimates.sqlite_table import APPLICATION, VERSION, SqliteTable
from tests.doamc.dashboard.serving import until
from tests.doamc.estimates.bearings import message

MANY = 10**6


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.sqlite"


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(sqlite_table, "PERIOD_S", 0.01)


def ask(path, question):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)) as database:
        return database.execute(question).fetchall()


def seqs(path):
    return [seq for (seq,) in ask(path, "SELECT seq FROM bearings ORDER BY id")]


def fill(path, numbers, keep=MANY):
    with SqliteTable(path, keep) as table:
        for seq in numbers:
            table.write(message([10.0], seq=seq))


def test_the_table_has_a_row_a_source_and_tells_its_version(path):
    with SqliteTable(path, MANY) as table:
        table.write(message([10.0, 200.0], [0.5, 1.0], [0.0, -3.0], seq=4))
        table.write(message([], seq=5))
    assert ask(path, "SELECT seq, source, azimuth_deg, std_deg, power_db, bearing_deg FROM bearings") == [
        (4, 1, 10.0, 0.5, 0.0, None), (4, 2, 200.0, 1.0, -3.0, None),
    ]  # fmt: skip
    assert ask(path, "PRAGMA application_id") == [(APPLICATION,)] and ask(path, "PRAGMA user_version") == [(VERSION,)]
    columns = [(name, kind) for _, name, kind, *_ in ask(path, "PRAGMA table_info(bearings)")]
    assert columns == [("id", "INTEGER"), *COLUMNS.items()]
    plan = ask(path, "EXPLAIN QUERY PLAN SELECT * FROM bearings WHERE time_s > 5")
    assert "bearings_by_time" in plan[0][-1]
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]


def test_closed_it_is_one_plain_file(path):
    fill(path, range(3))
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert path.read_bytes()[:16] == b"SQLite format 3\0" and path.read_bytes()[18:20] == b"\x01\x01"  # no WAL


def test_it_is_read_while_it_grows_and_readers_hold_up_nobody(path):
    with SqliteTable(path, MANY) as table:
        table.write(message([10.0], seq=0))
        until(lambda: table.written == 1)
        with closing(sqlite3.connect(path)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM bearings").fetchone() == (1,)
            table.write(message([20.0], seq=1))
            until(lambda: table.written == 2)
            assert reader.execute("SELECT count(*) FROM bearings").fetchone() == (1,)  # its own view of it
        assert seqs(path) == [0, 1]


def test_it_goes_on_where_it_ended(path):
    fill(path, range(3))
    fill(path, range(3, 5))
    assert seqs(path) == list(range(5))


def test_the_oldest_rows_go(path):
    fill(path, range(20), keep=5)
    assert seqs(path) == list(range(15, 20))
    size = path.stat().st_size
    fill(path, range(20, 200), keep=5)
    assert seqs(path) == list(range(195, 200)) and path.stat().st_size <= 2 * size + 40960


def test_what_waits_for_a_lock_is_told_once_and_written_after_it(path):
    told = []
    with SqliteTable(path, MANY, told.append) as table:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for seq in range(3):
                table.write(message([10.0], seq=seq))
            until(lambda: table.error is not None)
            table.write(message([10.0], seq=3))
            other.execute("COMMIT")
        until(lambda: table.written == 4)
        assert table.error is None
    assert (
        seqs(path) == [0, 1, 2, 3] and len(told) == 1 and "database is locked; what cannot be written waits" in told[0]
    )


def test_too_many_that_wait_are_refused_and_those_lost_at_the_end_told(path, monkeypatch):
    monkeypatch.setattr(sqlite_table, "WAITING", 5)
    monkeypatch.setattr(sqlite_table, "_PATIENCE_S", 0.01)
    table = SqliteTable(path, MANY)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for seq in range(5):
            table.write(message([10.0], seq=seq))
        until(lambda: table.error is not None)
        with pytest.raises(RecordingError, match="5 estimates wait, database is locked"):
            table.write(message([10.0], seq=5))
        with pytest.raises(RecordingError, match="5 estimates lost, database is locked"):
            table.close()
        table.close()
    assert seqs(path) == []


def test_a_full_disk_loses_nothing_that_room_is_made_for(path):
    told = []
    table = SqliteTable(path, MANY, told.append)
    pages = table._database.execute("PRAGMA page_count").fetchone()[0]
    table._database.execute(f"PRAGMA max_page_count = {pages}")
    for seq in range(100):
        table.write(message([10.0], seq=seq))
    until(lambda: table.error is not None)
    assert "full" in table.error and "full" in told[0]
    table._database.execute("PRAGMA max_page_count = 1000000")
    until(lambda: table.written == 100)
    table.close()
    assert seqs(path) == list(range(100))


def test_a_program_that_is_killed_leaves_whole_transactions(path, child):
    code = (
        "import sys\n"
        "from doamc.estimates import sqlite_table\n"
        "from tests.doamc.estimates.bearings import message\n"
        "sqlite_table.PERIOD_S = 0.001\n"
        "table = sqlite_table.SqliteTable(sys.argv[1], 10**6)\n"
        "for seq in range(10**6):\n"
        "    table.write(message([10.0, 20.0, 30.0], seq=seq))\n"
        "    while seq > 20 and table.written < seq - 20: pass\n"
        "    if seq == 200: print('far', flush=True)\n"
    )
    process = child([sys.executable, "-c", code, path], stdout=-1)
    assert process.stdout.readline() == b"far\n"
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    found = seqs(path)
    assert (
        len(found) % 3 == 0 and found == [seq for seq in range(len(found) // 3) for _ in range(3)] and len(found) > 300
    )
    fill(path, [0])
    assert ask(path, "PRAGMA integrity_check") == [("ok",)] and seqs(path) == [*found, 0]


def test_other_files_are_not_touched(path):
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE entries (id INTEGER)")
        other.commit()
    before = path.read_bytes()
    with pytest.raises(RecordingError, match=r"found a database of another kind .* name another file"):
        SqliteTable(path, MANY)
    assert path.read_bytes() == before
    path.write_bytes(b"a,b\n" * 2000)
    with pytest.raises(RecordingError, match="file is not a database"):
        SqliteTable(path, MANY)


def test_a_damaged_schema_is_told_in_one_line(path):
    """What SQLite says of it is no UTF-8."""
    fill(path, range(3))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"CREATE TABLE bearings", b"CREATE \x9fABLE bearings"))
    with pytest.raises(RecordingError, match="cannot write"):
        SqliteTable(path, MANY)


def test_a_later_version_is_refused(path):
    fill(path, [0])
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(RecordingError, match=f"expected a log of version {VERSION}, found version {VERSION + 1}"):
        SqliteTable(path, MANY)


@pytest.mark.parametrize("place", ["no/log.sqlite", "folder", "/dev/null"])
def test_what_cannot_be_opened_is_named(tmp_path, place):
    (tmp_path / "folder").mkdir()
    with pytest.raises(RecordingError, match="cannot write"):
        SqliteTable(tmp_path / place, MANY)


def test_a_log_with_fewer_columns_gets_those_that_are_missing(path):
    with SqliteTable(path, MANY) as table:
        table.write(message([10.0]))
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"ALTER TABLE {sqlite_table.TABLE} DROP COLUMN elevation_deg")
    sent = message([20.0])
    sent["sources"][0]["elevation_deg"] = 31.2
    with SqliteTable(path, MANY) as table:
        table.write(sent)
    assert ask(path, f"SELECT azimuth_deg, elevation_deg FROM {sqlite_table.TABLE}") == [(10.0, None), (20.0, 31.2)]
