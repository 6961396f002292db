"""Drawing in a terminal: lines and dots in braille characters, eight dots a cell, and letters among them.

A cell is about twice as high as it is wide and holds two by four dots, so that dots are about square.
"""

import codecs
import math

#: bits of the dots of a cell, by row and column (Unicode, block Braille Patterns)
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK = 0x2800


class Canvas:
    """Columns and rows of cells. Dots count from the left and from the top, two a column and four a row.

    A cell has one style, that of the last dot or letter put there. What lies outside is left out.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._dots = [[0] * columns for _ in range(rows)]
        self._letters: dict[tuple[int, int], str] = {}
        self._styles: dict[tuple[int, int], str] = {}

    def dot(self, x: float, y: float, style: str = "") -> None:
        """One dot."""
        column, row = math.floor(x) // 2, math.floor(y) // 4
        if 0 <= column < self.columns and 0 <= row < self.rows:
            self._dots[row][column] |= _BITS[math.floor(y) % 4][math.floor(x) % 2]
            self._styles[row, column] = style

    def line(self, x0: float, y0: float, x1: float, y1: float, style: str = "") -> None:
        """Dots from a point to another."""
        steps = max(1, math.ceil(2 * max(abs(x1 - x0), abs(y1 - y0))))
        for k in range(steps + 1):
            self.dot(x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps, style)

    def arc(self, x: float, y: float, radius: float, begin_deg: float, end_deg: float, style: str = "") -> None:
        """Dots of an arc about a point, counter-clockwise from the right."""
        steps = max(1, math.ceil(2 * radius * math.radians(end_deg - begin_deg)))
        for k in range(steps + 1):
            angle = math.radians(begin_deg + (end_deg - begin_deg) * k / steps)
            self.dot(x + radius * math.cos(angle), y - radius * math.sin(angle), style)

    def text(self, x: float, y: float, letters: str, style: str = "") -> None:
        """Letters centred on a dot; they hide the dots of their cells."""
        row, left = math.floor(y / 4), round(x / 2 - len(letters) / 2)
        for column, letter in enumerate(letters, left):
            if 0 <= column < self.columns and 0 <= row < self.rows:
                self._letters[row, column] = letter
                self._styles[row, column] = style

    def cells(self) -> list[list[tuple[str, str]]]:
        """Rows of (character, style)."""

        def character(row: int, column: int) -> str:
            dots = self._dots[row][column]
            return self._letters.get((row, column), chr(_BLANK + dots) if dots else " ")

        return [
            [(character(row, column), self._styles.get((row, column), "")) for column in range(self.columns)]
            for row in range(self.rows)
        ]


def without_unicode(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that a terminal cannot show, one for one; an error handler of `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    plain = {"°": " ", "±": "+", "…": "."}
    letters = error.object[error.start : error.end]
    return "".join(plain.get(c, "*" if _BLANK <= ord(c) < _BLANK + 256 else "?") for c in letters), error.end


#: name of that handler
WITHOUT_UNICODE = "doamc-without-unicode"
codecs.register_error(WITHOUT_UNICODE, without_unicode)
