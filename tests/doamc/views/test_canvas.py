"""Braille dots against the Unicode chart, lines against geometry."""

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doamc.views.canvas import WITHOUT_UNICODE, Canvas


def characters(canvas):
    return ["".join(c for c, _ in row) for row in canvas.cells()]


#: braille numbers its dots 1-2-3-7 down the left column, 4-5-6-8 down the right one
@pytest.mark.parametrize(("x", "y", "number"), [(0, 0, 1), (0, 1, 2), (0, 2, 3), (1, 0, 4), (1, 1, 5), (1, 2, 6),
                                                (0, 3, 7), (1, 3, 8)])  # fmt: skip
def test_every_dot_has_its_bit(x, y, number):
    canvas = Canvas(2, 1)
    canvas.dot(2 + x, y, "red")
    assert unicodedata.name(characters(canvas)[0][1]) == f"BRAILLE PATTERN DOTS-{number}"
    assert canvas.cells()[0] == [(" ", ""), (characters(canvas)[0][1], "red")]


@given(st.integers(0, 19), st.integers(0, 19), st.integers(0, 19), st.integers(0, 19))
def test_lines_have_both_ends_and_no_gap(x0, y0, x1, y1):
    canvas = Canvas(10, 5)
    canvas.line(x0 + 0.5, y0 + 0.5, x1 + 0.5, y1 + 0.5)
    bits = {1: (0, 0), 2: (0, 1), 4: (0, 2), 8: (1, 0), 16: (1, 1), 32: (1, 2), 64: (0, 3), 128: (1, 3)}
    dots = {
        (2 * column + dx, 4 * row + dy)
        for row, line in enumerate(characters(canvas)) for column, c in enumerate(line) if c != " "
        for bit, (dx, dy) in bits.items() if (ord(c) - 0x2800) & bit
    }  # fmt: skip
    assert (x0, y0) in dots and (x1, y1) in dots
    reach, todo = {(x0, y0)}, [(x0, y0)]
    while todo:
        x, y = todo.pop()
        near = {(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)} & dots - reach
        reach |= near
        todo += near
    assert reach == dots  # connected
    length = math.hypot(x1 - x0, y1 - y0)
    for x, y in dots:  # and never farther than a dot from the line
        if length:
            assert abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0)) / length <= 1.0


def test_letters_hide_dots_and_what_lies_outside_is_left_out():
    canvas = Canvas(5, 1)
    canvas.line(0, 0, 9, 0)
    canvas.text(5, 1, "abc", "bold")
    canvas.text(1, 1, "xyz")
    canvas.dot(-1, 0)
    canvas.dot(3, 4)
    assert characters(canvas)[0] == "yzbc" + chr(0x2800 + 9)
    assert canvas.cells()[0][2] == ("b", "bold")


def test_terminals_without_unicode_get_something_of_the_same_width():
    assert "3° ± 1° ⠿…é".encode("ascii", WITHOUT_UNICODE) == b"3  + 1  *.?"
    assert "⠿°".encode("latin-1", WITHOUT_UNICODE) == b"*\xb0"
