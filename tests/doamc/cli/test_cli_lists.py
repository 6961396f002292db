"""``doamc methods`` and ``doamc arrays``."""

from doamc.estimators import DEFAULT_METHOD, METHODS
from doamc.spec import load_spec, shipped_arrays


def test_methods_lists_every_one_with_its_summary(doamc):
    status, text, err = doamc("methods")
    assert (status, err) == (0, "")
    lines = text.splitlines()
    assert [line.split()[0] for line in lines] == list(METHODS)
    assert all(len(line.split(maxsplit=1)[1]) > 10 for line in lines)
    assert [line.split()[0] for line in lines if line.endswith("(default)")] == [DEFAULT_METHOD]


def test_arrays_lists_the_shipped_ones(doamc):
    status, text, _ = doamc("arrays")
    assert status == 0 and [line.split()[0] for line in text.splitlines()] == shipped_arrays()
    column = max(map(len, shipped_arrays())) + 2
    assert all(line[column - 2 : column] == "  " and line[column] != " " for line in text.splitlines())


def test_arrays_prints_one(doamc, refused, tmp_path):
    status, text, _ = doamc("arrays", "uca5")
    assert status == 0 and load_spec("uca5").digest in text and "circulant" in text
    rows = [line.split() for line in text.splitlines()[-5:]]
    assert [r[0] for r in rows] == list("01234") and float(rows[0][1]) == 0.35
    assert "streams" not in text and "mount" not in text
    (tmp_path / "roof.toml").write_text(
        'name = "roof"\nlike = "krakensdr"\n[mount]\noffset_deg = 358.5\nnorth = "magnetic"\ndeclination_deg = 3\n'
    )
    text = doamc("arrays", tmp_path / "roof.toml")[1]
    assert "streams      of elements 0, 4, 3, 2, 1\n" in text
    assert "mount        +x axis at 1.5 deg, clockwise from true north\n" in text
    assert "array must be one of" in refused("arrays", "nothing")
    (tmp_path / "bad.toml").write_text("name = ")
    assert "not a TOML file" in refused("arrays", tmp_path / "bad.toml")
