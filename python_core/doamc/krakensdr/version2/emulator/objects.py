"""Cuts a stream of JSON objects, with or without line ends between them, into the text of each."""

#: a text that is longer without its end is none
LARGEST = 1 << 12
_BLANKS = b" \t\r\n"


def split_objects(text: bytes) -> tuple[list[bytes], bytes]:
    """The objects that are complete, and what is left.

    What is no object comes as a piece of its own, up to the next line end or opening brace, for whoever parses it to
    refuse. Raises ValueError when more than `LARGEST` bytes are left.
    """
    found: list[bytes] = []
    while (text := text.lstrip(_BLANKS)) and (end := _end(text)):
        found.append(text[:end])
        text = text[end:]
    if len(text) > LARGEST:
        raise ValueError(f"expected objects of at most {LARGEST} bytes, found a longer one")
    return found, text


def _end(text: bytes) -> int:
    """Length of the object, or of what is none, that a text begins with; 0 where it has not come to its end."""
    if text[:1] != b"{":
        ends = [place for mark in (b"{", b"\n") if (place := text.find(mark)) > 0]
        return min(ends, default=0)
    depth, quoted, escaped = 0, False, False
    for place, byte in enumerate(text, 1):
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = byte == 0x5C, byte != 0x22
        elif byte == 0x22:
            quoted = True
        elif byte in b"{}":
            depth += 1 if byte == 0x7B else -1
            if not depth:
                return place
    return 0
