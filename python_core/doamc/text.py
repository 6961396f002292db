"""Text of others on its way to a terminal, a page or a file."""

import unicodedata


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
