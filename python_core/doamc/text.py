"""Text of others on its way to a terminal, a page, a file or one of our messages."""

import unicodedata
from typing import Any

MESSAGE = 400  #: characters of a message of one line
SHOWN = 80  #: characters of a value in a message
REASON = 160  #: characters of another error in a message


def printable(text: str, most: int | None = None) -> str:
    """A text without anything that a terminal obeys, at most `most` characters long (cut ones end in an ellipsis).

    Control characters (escapes, line ends, tabs), what turns the direction of writing, lone surrogates and other code
    points without a glyph become U+FFFD; blanks of all widths and letters of all scripts stay.
    """
    if most is not None and len(text) > most:
        text = text[: most - 1] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else "\ufffd" for c in text)


def one_line(text: object, most: int = MESSAGE) -> str:
    """Text as one line of at most `most` characters, without any that a terminal obeys."""
    return printable(" ".join(str(text).split()), most)


def shown(value: Any) -> str:
    """A value as a message tells it, at most `SHOWN` characters, whatever it is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # integers of thousands of digits, depth without end
        text = f"a {type(value).__name__} too large to show"
    return printable(text, SHOWN)


def reason(error: object) -> str:
    """What an error says, as a message of ours tells it: one line of at most `REASON` characters, or its kind."""
    return one_line(error, REASON) or type(error).__name__
